"""The names of the questions in our XForm, by which its instances are read again."""

from typing import Final

OPD: Final = "opd"
LAYANAN: Final = "layanan"
QUESTIONNAIRE: Final = "questionnaire"
COMMENT: Final = "comment"
ENDED: Final = "end"  # when the form was completed, by the tablet's clock
ANSWERS: Final = "answers"
RESPONDENT: Final = "respondent"
PROFILE: Final = ("sex", "age", "education", "occupation")
AGE: Final = "age"
UNSUR_PREFIX: Final = "q_"  # the code of an unsur may begin with a digit, an XML name may not
