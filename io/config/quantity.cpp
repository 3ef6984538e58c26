#include "io/config/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tocsin::io {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 5> time_units{{{"ms", 1},
                                          {"s", std::uint64_t{second_ms}},
                                          {"m", std::uint64_t{minute_ms}},
                                          {"h", std::uint64_t{hour_ms}},
                                          {"d", std::uint64_t{day_ms}}}};

constexpr std::array<unit, 10> size_units{{{"B", 1},
                                           {"kB", 1000},
                                           {"KB", 1000},
                                           {"MB", 1000 * 1000},
                                           {"GB", 1000 * 1000 * 1000},
                                           {"KiB", std::uint64_t{1} << 10},
                                           {"MiB", std::uint64_t{1} << 20},
                                           {"GiB", std::uint64_t{1} << 30},
                                           {"TB", std::uint64_t{1000} * 1000 * 1000 * 1000},
                                           {"TiB", std::uint64_t{1} << 40}}};

template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text, const std::array<unit, N>& units,
                                            std::uint64_t highest) {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{})
    return std::nullopt;
  const auto name = text.substr(static_cast<std::size_t>(rest - text.data()));
  const auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == name; });
  if (found == units.end() || number > highest / found->factor)
    return std::nullopt;
  return number * found->factor;
}

} // namespace

std::optional<time_ms> parse_duration(std::string_view text) {
  const auto parsed = parse_quantity(text, time_units, std::uint64_t{10'000 * day_ms});
  return parsed ? std::optional<time_ms>(static_cast<time_ms>(*parsed)) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, size_units, std::uint64_t{1} << 50);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t power = 0;
  while (power + 1 < names.size() && bytes >> (10 * (power + 1)) != 0)
    ++power;
  const auto factor = std::uint64_t{1} << (10 * power);
  if (bytes % factor == 0)
    return fmt::format("{}{}", bytes / factor, names[power]);
  return fmt::format("{:.1f}{}", static_cast<double>(bytes) / static_cast<double>(factor), names[power]);
}

} // namespace tocsin::io
