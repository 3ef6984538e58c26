#pragma once

#include <cstddef>
#include <functional>

namespace tocsin::evaluation {

/// Calls `work` with 0 .. count-1, each once, from `jobs` threads (at least one). What it computes must depend on its
/// index alone; then the results are the same for any number of threads. The first exception is thrown again here.
void for_each_index(std::size_t jobs, std::size_t count, const std::function<void(std::size_t)>& work);

} // namespace tocsin::evaluation
