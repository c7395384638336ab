"""Images whose metadata is real and whose data is holes, with their clusters here or there on the disk."""

import array
import random
import struct
import sys

from benchlib.programs import run

CLUSTER = 1 << 16
ENTRIES = CLUSTER // 8
REFCOUNTS = CLUSTER // 2
COPIED = 1 << 63
SEED = 20260101


def make_together(image, disk_bytes, clusters):
    """All at the start of the disk."""
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", image, clusters * CLUSTER)
    run("qemu-img", "resize", "-q", "-f", "qcow2", image, disk_bytes)


def make_all(image, disk_bytes, _):
    """Every cluster of the disk."""
    run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", image, disk_bytes, timeout=1200)


def make_spread(image, disk_bytes, clusters):
    """In pieces of a MiB all over the disk, in the file one behind the other."""
    write(image, disk_bytes, pieces(disk_bytes, clusters), range(clusters))


def make_shuffled(image, disk_bytes, clusters):
    """As spread, but in the file in no order."""
    order = list(range(clusters))
    random.Random(SEED).shuffle(order)
    write(image, disk_bytes, pieces(disk_bytes, clusters), order)


LAYOUTS = {"together": make_together, "spread": make_spread, "shuffled": make_shuffled, "all": make_all}


def pieces(disk_bytes, clusters):
    """Which guest clusters are allocated."""
    step = 16 * (disk_bytes // CLUSTER) // clusters
    return [piece * step + i for piece in range(clusters // 16) for i in range(16)]


def write(image, disk_bytes, guest_clusters, places):
    """An image of version 3; header, refcount table, L1 table, refcount blocks, L2 tables and data in that order."""
    l1 = array.array("Q", bytes(8 * -(-disk_bytes // CLUSTER // ENTRIES)))
    numbers = sorted({cluster // ENTRIES for cluster in guest_clusters})
    blocks_at = 2 + -(-len(l1) * 8 // CLUSTER)
    blocks = 1
    while blocks * REFCOUNTS < blocks_at + blocks + len(numbers) + len(guest_clusters):
        blocks += 1
    tables_at = blocks_at + blocks
    data_at = tables_at + len(numbers)
    end = data_at + len(guest_clusters)
    tables = {number: array.array("Q", bytes(CLUSTER)) for number in numbers}
    for cluster, place in zip(guest_clusters, places):
        tables[cluster // ENTRIES][cluster % ENTRIES] = COPIED | (data_at + place) * CLUSTER
    for i, number in enumerate(numbers):
        l1[number] = COPIED | (tables_at + i) * CLUSTER
    with open(image, "wb") as out:
        out.write(struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, 16, disk_bytes, 0, len(l1), 2 * CLUSTER, CLUSTER, 1,
                              0, 0))  # fmt: skip
        out.write(struct.pack(">QQQIIQ", 0, 0, 0, 4, 104, 0))
        put(out, 1, array.array("Q", [(blocks_at + i) * CLUSTER for i in range(blocks)]))
        put(out, 2, l1)
        put(out, blocks_at, array.array("H", [1]) * end)
        for i, number in enumerate(numbers):
            put(out, tables_at + i, tables[number])
        out.truncate(end * CLUSTER)


def put(out, cluster, words):
    """Numbers in big-endian, from a cluster on."""
    if sys.byteorder == "little":
        words.byteswap()
    out.seek(cluster * CLUSTER)
    out.write(words.tobytes())
