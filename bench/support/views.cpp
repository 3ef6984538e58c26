#include "bench/support/views.hpp"

#include "detectors/values/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace tocsin::bench {

void give_up(const std::string& message) {
  fmt::print(stderr, "bench: {}\n", message);
  std::exit(1);
}

io::config load_or_exit(const std::string& path, std::uint64_t keys) {
  auto outcome = io::load_config(path);
  if (!outcome.value)
    give_up(outcome.issues.empty() ? path + " is not valid" : io::to_string(path, outcome.issues.front()));
  if (keys != 0)
    for (auto& monitor : outcome.value->world.monitors) {
      // Twice the room, because a shard's equal part is less than what hashing gives some of them.
      monitor.capacity.max_keys = 2 * keys;
      monitor.capacity.max_leaf_cells = 4 * keys;
    }
  return std::move(*outcome.value);
}

void view_maker::make(std::int64_t tick, std::uint64_t count, bool random, io::raw_block& out) {
  constexpr time_ms length = 10 * second_ms;
  out.clear();
  out.data.clear();
  out.begin = offset_;
  auto to = std::back_inserter(out.data);
  for (std::uint64_t i = 0; i < count; ++i) {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    const auto key = random ? (random_ >> 20) % leaf_keys_ : next_key_++ % leaf_keys_;
    const bool failed = (random_ >> 40) % 100 == 0;
    const auto time = tick_start(tick, length) + static_cast<time_ms>(i) * length / static_cast<time_ms>(count);
    fmt::format_to(to,
                   R"({{"ts":{},"view_id":"{:016x}","viewer_id":"v{}","property":"p{}","cdn":"cdn{}","country":"C{}",)"
                   R"("player":"web","title":"t{}","app_version":"4.21.7","session":"{:016x}","severity":{},)"
                   R"("error_code":{}}})"
                   "\n",
                   time, i, random_ % 100'000, key % 100, key % 5, key % 20, key, random_,
                   failed ? "\"fatal\"" : "null", failed ? "\"HLS_404\"" : "null");
  }
  out.size = out.data.size();
  offset_ += static_cast<stream_offset>(out.size);
  out.next_offset = offset_;
  out.data.append(io::block_padding, '\0');
}

} // namespace tocsin::bench
