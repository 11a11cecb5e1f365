import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # for factory.py: the tests are no package
settings.register_profile("leaderboards", deadline=None)  # a busy machine is no failure
settings.load_profile("leaderboards")
