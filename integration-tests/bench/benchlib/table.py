"""What was measured, as a table of 100 columns and as JSON."""

import os
import pathlib
import platform
import statistics

from benchlib.programs import run

PEER = "qsd"
LINE = "{row:<33}{subject:<8}{median:>10} {spread:>17} {unit:<6}{ratio:>7} {target:>9}{cpu:>7}"


def spread(values):
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summary(row, results):
    """One row's results, by subject, as JSON has them."""
    subjects = {}
    for subject, runs in results.items():
        subjects[subject] = {
            **spread([row.value(result) for result in runs]),
            "cpu_seconds": statistics.median(row.cpu_cost(result) for result in runs),
            "peak_mib": max(result.peak for result in runs),
            "repetitions": len(runs),
        }
    for values in subjects.values():
        if PEER in subjects:
            values["ratio"] = row.ratio(values["median"], subjects[PEER]["median"])
    return {
        "name": row.name, "title": row.title, "unit": row.unit, "target": row.target, "limit": row.limit,
        "met": met(row, subjects), "subjects": subjects}  # fmt: skip


def met(row, subjects):
    """Whether the target is met; None where there is none, or nothing to compare with."""
    ours = subjects.get("qcowfs")
    if not ours:
        return None
    if row.limit is not None:
        return ours["median"] <= row.limit
    if row.target is None or "ratio" not in ours:
        return None
    return ours["ratio"] >= row.target


def number(value):
    """Three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def heading():
    """The line above the table."""
    line = LINE.format(row="row", subject="subject", median="median", spread="min - max", unit="unit",
                       ratio="ratio", target="target", cpu="CPU s")  # fmt: skip
    return line + "\n" + "-" * len(line)


def lines(row):
    """One row of a summary as text, a line for each subject."""
    for index, (subject, values) in enumerate(row["subjects"].items()):
        ratio = f"x{values['ratio']:.2f}" if "ratio" in values and subject != PEER else ""
        yield LINE.format(
            row=row["title"] if index == 0 else "", subject=subject, median=number(values["median"]),
            spread=f"{number(values['min'])} - {number(values['max'])}", unit=row["unit"], ratio=ratio,
            target=target(row) if subject == "qcowfs" else "",
            cpu="" if subject == "host" else number(values["cpu_seconds"])).rstrip()  # fmt: skip


def target(row):
    wanted = row["target"] if row["limit"] is None else row["limit"]
    if wanted is None:
        return ""
    sign = "x" if row["limit"] is None else "<"
    word = {True: "met", False: "MISS", None: "?"}[row["met"]]
    return f"{sign}{wanted:g} {word}"


def footer(rows):
    """What the columns mean, and the memory."""
    memory = {}
    for row in rows:
        for subject, values in row["subjects"].items():
            memory[subject] = max(memory.get(subject, (0, "")), (values["peak_mib"], row["title"]))
    yield ""
    yield "ratio: times better than qemu-storage-daemon. CPU s: of the daemon, for a GiB (MiB/s rows), or"
    yield "for 100,000 operations (IOPS and us rows), or in all (ms rows)."
    for subject, (peak, title) in memory.items():
        if subject != "host":
            yield f"peak memory of {subject}: {peak:.0f} MiB ({title})"


def machine(directory):
    """Where it was measured."""
    model = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]  # fmt: skip
    return {
        "cpu": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": platform.release(),
        "filesystem": run("stat", "-f", "-c", "%T", directory).strip(),
        "qemu": run("qemu-img", "--version").splitlines()[0].split(" ")[2],
        "fio": run("fio", "--version").strip(),
    }
