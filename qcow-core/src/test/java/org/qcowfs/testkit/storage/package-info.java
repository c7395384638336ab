/**
 * Host files that live in memory, and decorators that record, fail, or lose power. They stand in
 * for {@link org.qcowfs.storage.HostFile} wherever the engine is tested, and keep its contract.
 */
@NullMarked
package org.qcowfs.testkit.storage;

import org.jspecify.annotations.NullMarked;
