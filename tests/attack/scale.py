"""How large the attacks are: small, to try something, or several times that (`make attack`)."""

import os

SCALE = int(os.environ.get("ATTACK_SCALE", "1"))
