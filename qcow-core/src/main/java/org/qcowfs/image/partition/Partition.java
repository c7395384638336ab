package org.qcowfs.image.partition;

/**
 * A partition, already clipped to its disk.
 *
 * @param number as Linux numbers it: the entry in the table, from 1 on; logical partitions of an
 *     MBR from 5 on
 * @param start guest offset of its first byte
 * @param length in bytes, never 0
 * @param type {@code 0x83} and the like in an MBR, the upper-case type GUID in a GPT
 * @param name as stored in a GPT, may hold any character; empty in an MBR
 */
public record Partition(int number, long start, long length, String type, String name) {}
