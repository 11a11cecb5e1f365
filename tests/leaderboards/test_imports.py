import subprocess
import sys

FORBIDDEN = ("benchmark", "tasks", "methods", "torch", "pandas")


def test_leaderboards_import_neither_the_runner_nor_tasks_nor_torch():
    code = (
        "import sys, leaderboards.write, leaderboards.validate, leaderboards.verify;"
        "from leaderboards.render.html import render; from leaderboards.leaderboard import leaderboard;"
        "render(leaderboard([]));"
        f"print(*(name for name in {FORBIDDEN} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
