#include "detectors/incidents/attribution.hpp"

#include "detectors/values/key.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace tocsin {

namespace {

dimension_value named(const monitor_spec& monitor, std::uint32_t dimension, std::string_view encoded) {
  dimension_value out;
  out.dimension = monitor.dimensions[dimension];
  key_reader reader(encoded);
  key_value value;
  if (!reader.next(value))
    return out;
  out.pooled = value.tag == value_tag::pooled;
  if (value.tag != value_tag::null)
    out.value = std::string(shown(value));
  return out;
}

bool same_value(const dimension_value& a, const dimension_value& b) {
  return a.dimension == b.dimension && a.value == b.value && a.pooled == b.pooled;
}

} // namespace

value_set values_of(const monitor_spec& monitor, std::string_view key) {
  value_set out;
  key_reader reader(key.substr(1));
  key_value value;
  for (const auto dimension : level_at(monitor, static_cast<std::uint8_t>(key[0])).dimensions) {
    if (!reader.next(value))
      break;
    if (dimension >= monitor.scope_size)
      out.values.emplace_back(dimension, std::string(value.encoded));
  }
  return out;
}

std::vector<contributor> contributors_of(const monitor_spec& monitor, const std::vector<cause>& causes) {
  std::vector<contributor> out;
  for (const auto& from : causes) {
    contributor one;
    for (const auto& [dimension, encoded] : from.set.values)
      one.set.push_back(named(monitor, dimension, encoded));
    one.excess = from.excess;
    one.share = from.share;
    one.rate_without = from.rate_without;
    one.score = from.score;
    out.push_back(std::move(one));
  }
  return out;
}

bool same_sets(const std::vector<contributor>& a, const std::vector<contributor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const contributor& x, const contributor& y) {
    return std::equal(x.set.begin(), x.set.end(), y.set.begin(), y.set.end(), same_value);
  });
}

std::vector<error_type_count> error_types_of(const std::vector<type_sums>& types, std::int64_t failed,
                                             double expected) {
  constexpr std::size_t most = 5;
  std::vector<error_type_count> out;
  auto nameless = failed;
  auto nameless_share = 1.0;
  for (const auto& from : types) {
    key_reader reader(from.type);
    key_value value;
    if (!reader.next(value))
      continue;
    error_type_count one;
    if (value.tag != value_tag::null)
      one.type = std::string(shown(value));
    one.failures = from.failed;
    one.expected = from.share_before * expected;
    nameless -= from.failed;
    nameless_share -= from.share_before;
    out.push_back(std::move(one));
  }
  if (nameless > 0) {
    key_value other;
    other.tag = value_tag::pooled;
    out.push_back({std::string(shown(other)), nameless, std::max(0.0, nameless_share) * expected});
  }
  const auto excess = [](const error_type_count& of) { return static_cast<double>(of.failures) - of.expected; };
  // Those of equal excess stay in the order of their bytes.
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return excess(a) > excess(b); });
  if (out.size() > most)
    out.resize(most);
  return out;
}

bool same_types(const std::vector<error_type_count>& a, const std::vector<error_type_count>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const error_type_count& x, const error_type_count& y) { return x.type == y.type; });
}

std::array<tick_index, 2> later_looks(const monitor_spec& monitor, tick_index opened) {
  const auto after = [&](time_ms time) { return opened + (time + monitor.tick - 1) / monitor.tick; };
  return {after(minute_ms), after(5 * minute_ms)};
}

void save_contributors(const std::vector<contributor>& what, state_writer& out) {
  out.u8(static_cast<std::uint8_t>(what.size()));
  for (const auto& one : what) {
    out.u8(static_cast<std::uint8_t>(one.set.size()));
    for (const auto& value : one.set) {
      out.text(value.dimension);
      out.u8(static_cast<std::uint8_t>((value.value ? 1 : 0) | (value.pooled ? 2 : 0)));
      if (value.value)
        out.text(*value.value);
    }
    for (const auto number : {one.excess, one.share, one.rate_without, one.score})
      out.f64(number);
  }
}

void save_error_types(const std::vector<error_type_count>& what, state_writer& out) {
  out.u8(static_cast<std::uint8_t>(what.size()));
  for (const auto& one : what) {
    out.u8(one.type ? 1 : 0);
    if (one.type)
      out.text(*one.type);
    out.i64(one.failures);
    out.f64(one.expected);
  }
}

std::vector<error_type_count> load_error_types(state_reader& in) {
  std::vector<error_type_count> out;
  for (auto left = in.u8(); left > 0 && in.ok(); --left) {
    error_type_count one;
    if (in.u8() != 0)
      one.type = in.text();
    one.failures = in.i64();
    one.expected = in.f64();
    if (one.failures < 0 || !std::isfinite(one.expected))
      in.fail();
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<contributor> load_contributors(state_reader& in) {
  std::vector<contributor> out;
  for (auto left = in.u8(); left > 0 && in.ok(); --left) {
    contributor one;
    for (auto values = in.u8(); values > 0 && in.ok(); --values) {
      dimension_value value;
      value.dimension = in.text();
      const auto marks = in.u8();
      value.pooled = (marks & 2) != 0;
      if ((marks & 1) != 0)
        value.value = in.text();
      one.set.push_back(std::move(value));
    }
    for (auto* number : {&one.excess, &one.share, &one.rate_without, &one.score}) {
      *number = in.f64();
      if (!std::isfinite(*number))
        in.fail();
    }
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace tocsin
