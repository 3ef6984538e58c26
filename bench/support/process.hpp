#pragma once

namespace tocsin::bench {

/// Memory of this process that is resident; 0 where /proc does not tell.
double resident_bytes();
/// Bytes that this process has sent towards the disk; 0 where /proc does not tell.
double written_bytes();

} // namespace tocsin::bench
