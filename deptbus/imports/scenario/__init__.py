"""An outbreak in a province that does not exist: invented figures with a few flaws, in the format of the real files.

For machines without real data: two cities rise to levels Ⅱ and Ⅲ, one figure goes down, one row has no city code for
days on end, and one row is malformed.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
PROVINCE = "990000"
FIRST = "2020-02-03"
LAST = "2020-02-22"
