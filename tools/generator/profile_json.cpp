// Profiles as files.
#include "tools/common/units.hpp"
#include "tools/generator/profile.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace tocsin::generator {

namespace {

using json = nlohmann::json;

/// Walks a profile file; keeps the first mistake.
class profile_reader {
public:
  explicit profile_reader(std::string file) : file_(std::move(file)) {}

  using field_reader = std::function<void(const json& value, const std::string& pointer)>;
  using fields = std::map<std::string, field_reader>;

  /// Hands every member of `object` to its reader; a member without one is a mistake.
  void object(const json& value, const std::string& pointer, const fields& known) {
    if (!value.is_object())
      return mistake(pointer, value, "an object");
    for (const auto& [name, member] : value.items()) {
      const auto reader = known.find(name);
      if (reader == known.end()) {
        std::string names;
        for (const auto& field : known)
          names += (names.empty() ? "" : ", ") + field.first;
        return mistake(pointer + "/" + name, std::string("this key"), "one of " + names);
      }
      reader->second(member, pointer + "/" + name);
    }
  }

  void list(const json& value, const std::string& pointer, const field_reader& each) {
    if (!value.is_array())
      return mistake(pointer, value, "an array");
    for (std::size_t i = 0; i < value.size(); ++i)
      each(value[i], pointer + "/" + std::to_string(i));
  }

  template <class T>
  field_reader number(T& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      if (!value.is_number())
        return mistake(pointer, value, "a number");
      target = value.get<double>();
    };
  }
  field_reader count(std::uint32_t& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 4'000'000'000)
        return mistake(pointer, value, "a whole number");
      target = value.get<std::uint32_t>();
    };
  }
  field_reader flag(bool& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      if (!value.is_boolean())
        return mistake(pointer, value, "true or false");
      target = value.get<bool>();
    };
  }
  field_reader text(std::string& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      if (!value.is_string())
        return mistake(pointer, value, "text");
      target = value.get<std::string>();
    };
  }
  field_reader duration(time_ms& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      const auto parsed = value.is_string() ? tools::parse_duration(value.get<std::string>()) : std::nullopt;
      if (!parsed)
        return mistake(pointer, value, "a duration such as \"30m\"");
      target = *parsed;
    };
  }
  field_reader time(time_ms& target) {
    return [&target, this](const json& value, const std::string& pointer) {
      const auto parsed = value.is_string() ? tools::parse_rfc3339(value.get<std::string>()) : std::nullopt;
      if (!parsed)
        return mistake(pointer, value, "a time such as \"2024-01-01T00:00:00Z\"");
      target = *parsed;
    };
  }

  void mistake(const std::string& pointer, const json& value, const std::string& expected) {
    mistake(pointer, value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80), expected);
  }
  void mistake(const std::string& pointer, const std::string& found, const std::string& expected) {
    if (ok_)
      failure_ = fmt::format("{}: {}: found {}, expected {}", file_, pointer, found, expected);
    ok_ = false;
  }
  io::result<void> outcome() const {
    if (ok_)
      return {};
    return io::error{io::error_code::configuration, failure_, false, true};
  }

private:
  std::string file_;
  std::string failure_;
  bool ok_ = true;
};

void read_values(profile_reader& reader, const json& value, const std::string& pointer, dimension_profile& values) {
  const auto names = [&](const json& list, const std::string& at) {
    values.names.clear();
    reader.list(list, at, [&](const json& name, const std::string& where) {
      reader.text(values.names.emplace_back())(name, where);
    });
  };
  // A count takes the place of names that the scenario lists.
  const auto count = [&](const json& number, const std::string& at) {
    values.names.clear();
    reader.count(values.count)(number, at);
  };
  reader.object(value, pointer,
                {{"names", names},
                 {"prefix", reader.text(values.prefix)},
                 {"count", count},
                 {"skew", reader.number(values.skew)},
                 {"rate_spread", reader.number(values.rate_spread)}});
}

void read_incident(profile_reader& reader, const json& value, const std::string& pointer, stream_profile& profile) {
  auto& incident = profile.incidents.emplace_back();
  const auto where = [&](const json& object, const std::string& at) {
    profile_reader::fields known;
    for (std::size_t i = 0; i < dimensions; ++i)
      known[dimension_names[i]] = [&, i](const json& name, const std::string& member) {
        incident.where.emplace_back(static_cast<dimension>(i), std::string());
        reader.text(incident.where.back().second)(name, member);
      };
    reader.object(object, at, known);
  };
  reader.object(value, pointer,
                {{"start", reader.duration(incident.start)},
                 {"for", reader.duration(incident.length)},
                 {"where", where},
                 {"rate", reader.number(incident.rate)},
                 {"times", reader.number(incident.times)},
                 {"error_code", reader.text(incident.error_code)}});
}

void read_profile(profile_reader& reader, const json& value, stream_profile& profile) {
  const auto values = [&](const json& object, const std::string& at) {
    profile_reader::fields known;
    for (std::size_t i = 0; i < dimensions; ++i)
      known[dimension_names[i]] = [&, i](const json& one, const std::string& member) {
        read_values(reader, one, member, profile.values[i]);
      };
    reader.object(object, at, known);
  };
  const auto error_codes = [&](const json& list, const std::string& at) {
    profile.error_codes.clear();
    reader.list(list, at, [&](const json& one, const std::string& member) {
      auto& code = profile.error_codes.emplace_back();
      reader.object(one, member, {{"code", reader.text(code.code)}, {"weight", reader.number(code.weight)}});
    });
  };
  const auto incidents = [&](const json& list, const std::string& at) {
    profile.incidents.clear();
    reader.list(list, at,
                [&](const json& one, const std::string& member) { read_incident(reader, one, member, profile); });
  };
  reader.object(value, "",
                {{"name", reader.text(profile.name)},
                 {"start", reader.time(profile.start)},
                 {"length", reader.duration(profile.length)},
                 {"rate", reader.number(profile.rate)},
                 {"volume_daily", reader.number(profile.volume_daily)},
                 {"volume_weekend", reader.number(profile.volume_weekend)},
                 {"volume_noise", reader.number(profile.volume_noise)},
                 {"failure_rate", reader.number(profile.failure_rate)},
                 {"failure_daily", reader.number(profile.failure_daily)},
                 {"failure_weekend", reader.number(profile.failure_weekend)},
                 {"failure_noise", reader.number(profile.failure_noise)},
                 {"noise_memory", reader.duration(profile.noise_memory)},
                 {"dispersion", reader.number(profile.dispersion)},
                 {"warning_rate", reader.number(profile.warning_rate)},
                 {"retry", reader.number(profile.retry)},
                 {"retry_failure", reader.number(profile.retry_failure)},
                 {"viewers", reader.count(profile.viewers)},
                 {"view_ids", reader.flag(profile.view_ids)},
                 {"values", values},
                 {"error_codes", error_codes},
                 {"incidents", incidents},
                 {"disorder", reader.duration(profile.disorder)},
                 {"late_fraction", reader.number(profile.late_fraction)},
                 {"late_by", reader.duration(profile.late_by)}});
}

} // namespace

io::result<void> apply_json(std::string_view text, const std::string& file_name, stream_profile& profile) {
  profile_reader reader(file_name);
  try {
    read_profile(reader, json::parse(text, nullptr, true, true), profile);
  } catch (const json::exception& error) {
    return io::error{io::error_code::configuration, file_name + ": not JSON: " + error.what(), false, true};
  }
  return reader.outcome();
}

} // namespace tocsin::generator
