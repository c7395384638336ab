/** What is written through a real mount, where it goes, and when it is safe. */
package org.qcowfs.it.write;
