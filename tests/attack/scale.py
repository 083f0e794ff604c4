"""How large the attacks are: as in `make test`, or several times that (`make attack`)."""

import os

SCALE = int(os.environ.get("ATTACK_SCALE", "1"))
