"""All families of faults, in the order of the table."""

from __future__ import annotations

from perf.campaign import (
    annotations,
    configurations,
    disk,
    images,
    kills,
    members,
    nodes,
    numbers,
    records,
    strings,
    surroundings,
    together,
    weights,
)
from perf.campaign.case import Family

LINE = "one line that names the file and how to mend it, exit code 2, no code run, nothing changed or lost"
FAMILIES = (
    Family(
        "kills",
        "SIGKILL at a random moment of training, of a teacher's training, evaluation, rendering, saving, writing a "
        "record, drawing, writing boards; any task and methods, 0 or 2 loader processes",
        "the same command afterwards gives the uninterrupted bytes; no record lost, no temporary file left",
        50,
        kills.cases,
    ),
    Family(
        "nodes",
        "a node of a simulated Ray cluster of two dies in the middle of a sweep",
        "the sweep ends with exit code 0 and the bytes of a serial one",
        5,
        nodes.cases,
    ),
    Family(
        "together",
        "two to four processes with the same command at once",
        "one trains, the others wait or find the work done; one teacher",
        10,
        together.cases,
    ),
    Family(
        "disk",
        "a disk that fills up at a random point, a read-only folder",
        "earlier records whole, one clear line, exit code 2; the same command goes on afterwards, to the same bytes",
        10,
        disk.cases,
    ),
    Family("images", "images and label maps: cut, of another kind, huge, animated, no files", LINE, 100, images.cases),
    Family("annotations", "annotations of each format, lists of files", LINE, 100, annotations.cases),
    Family("configurations", "words of a command that make no sense", LINE, 100, configurations.cases),
    Family(
        "weights",
        "checkpoints, teachers, resume states, students: cut, of something else, hiding code",
        LINE,
        60,
        weights.cases,
    ),
    Family("records", "records: cut, of another schema, of a later version, lying", LINE, 60, records.cases),
    Family(
        "strings",
        "HTML, Markdown, formulas, ANSI, paths, markup in every text field of a record",
        "shown as text in md, csv, json, html and on a terminal, or refused",
        10,
        strings.cases,
    ),
    Family(
        "numbers",
        "extreme numbers in every numeric field of a record",
        "boards are written in every format, or the record is refused; no traceback",
        10,
        numbers.cases,
    ),
    Family(
        "members",
        "a member that raises, diverges, leaks, sleeps or meddles; a teacher that diverges",
        "the others unchanged to the bit; recorded, with the reason",
        15,
        members.cases,
    ),
    Family(
        "surroundings",
        "a clock that jumps, other locales, another time zone, no HOME, no write access to the package, odd paths",
        "works, to the same bytes",
        8,
        surroundings.cases,
    ),
)
