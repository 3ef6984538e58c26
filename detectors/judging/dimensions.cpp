#include "detectors/judging/dimensions.hpp"

#include "detectors/values/key.hpp"

#include <algorithm>

namespace tocsin {

std::vector<dimension_value> name_dimensions(const monitor_spec& monitor, std::uint32_t level, std::string_view key) {
  std::vector<dimension_value> named;
  key_reader reader(key.substr(1));
  key_value value;
  for (const auto dimension : level_at(monitor, level).dimensions) {
    if (!reader.next(value))
      break;
    dimension_value one;
    one.dimension = dimension_name(monitor, dimension);
    one.pooled = value.tag == value_tag::pooled;
    if (value.tag != value_tag::null)
      one.value = std::string(shown(value));
    named.push_back(std::move(one));
  }
  return named;
}

std::string parent_key(const monitor_spec& monitor, std::string_view key) {
  const auto level = static_cast<std::uint8_t>(key[0]);
  const auto parent = parent_level(monitor, level);
  const auto& wanted = monitor.levels[parent].dimensions;
  std::string out(1, static_cast<char>(parent));
  key_reader reader(key.substr(1));
  key_value value;
  for (const auto dimension : monitor.levels[level].dimensions)
    if (reader.next(value) && std::find(wanted.begin(), wanted.end(), dimension) != wanted.end())
      out.append(value.encoded);
  return out;
}

} // namespace tocsin
