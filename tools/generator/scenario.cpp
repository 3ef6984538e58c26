// The built-in profiles.
#include "tools/generator/profile.hpp"

#include <cmath>

namespace tocsin::generator {

namespace {

/// A fraction of the stream's length, on a whole minute where the stream is long enough.
time_ms part(const stream_profile& profile, double fraction) {
  const auto exact = static_cast<time_ms>(std::llround(fraction * static_cast<double>(profile.length)));
  return exact >= 10 * minute_ms ? exact / minute_ms * minute_ms : exact;
}

planted_incident incident(const stream_profile& profile, double start, double length,
                          std::vector<std::pair<dimension, std::string>> where) {
  planted_incident planted;
  planted.start = part(profile, start);
  planted.length = part(profile, length);
  planted.where = std::move(where);
  return planted;
}

dimension_profile listed(std::vector<std::string> names, double skew, double rate_spread) {
  dimension_profile values;
  values.names = std::move(names);
  values.skew = skew;
  values.rate_spread = rate_spread;
  return values;
}

dimension_profile numbered(const char* prefix, std::uint32_t count, double skew, double rate_spread) {
  dimension_profile values;
  values.prefix = prefix;
  values.count = count;
  values.skew = skew;
  values.rate_spread = rate_spread;
  return values;
}

/// A video platform on an ordinary day: what every scenario begins with.
stream_profile quiet() {
  stream_profile profile;
  profile.values[property] = numbered("p", 4, 0.7, 0.3);
  profile.values[cdn] = listed({"akamai", "fastly", "cloudfront", "edgecast"}, 0.8, 0.2);
  profile.values[country] = listed({"US", "DE", "GB", "FR", "BR", "IN", "JP", "ES", "IT", "NL",
                                    "PL", "SE", "CA", "MX", "AU", "TR", "KR", "AR", "CH", "AT"},
                                   0.9, 0.2);
  profile.values[player] = listed({"web", "ios", "android", "roku", "firetv", "tizen"}, 0.7, 0.3);
  profile.values[title] = numbered("t", 500, 1, 0.2);
  profile.error_codes = {{"HLS_404", 5}, {"NETWORK_TIMEOUT", 4}, {"MEDIA_DECODE", 2}, {"DRM_LICENSE", 1}};
  return profile;
}

/// Three causes: a CDN, a CDN in one country, one title of one property.
void plant_video(stream_profile& profile) {
  auto one_cdn = incident(profile, 0.35, 0.03, {{cdn, "fastly"}});
  one_cdn.rate = 0.12;
  one_cdn.error_code = "NETWORK_TIMEOUT";
  auto one_country = incident(profile, 0.6, 0.04, {{cdn, "akamai"}, {country, "DE"}});
  one_country.rate = 0.4;
  one_country.error_code = "HLS_404";
  auto one_title = incident(profile, 0.8, 0.05, {{property, "p1"}, {title, "t2"}});
  one_title.rate = 0.6;
  one_title.error_code = "DRM_LICENSE";
  profile.incidents = {one_cdn, one_country, one_title};
}

/// 500 titles of 20 views a day each; two of them break for two days.
void make_sparse(stream_profile& profile) {
  profile.values[property] = numbered("p", 1, 0, 0);
  profile.values[title] = numbered("t", 500, 0, 0);
  profile.viewers = 5'000;
  auto first = incident(profile, 0.5, 2.0 / 28, {{title, "t17"}});
  first.rate = 0.3;
  auto second = incident(profile, 0.75, 2.0 / 28, {{title, "t400"}});
  second.rate = 0.5;
  profile.incidents = {first, second};
}

/// Two million titles, all alike: ten times the keys that a monitor has room for by default.
void make_flood(stream_profile& profile) {
  profile.values[title] = numbered("t", 2'000'000, 0, 0);
  profile.viewers = 1'000'000;
  auto one_cdn = incident(profile, 0.6, 0.1, {{property, "p2"}, {cdn, "fastly"}});
  one_cdn.rate = 0.1;
  profile.incidents = {one_cdn};
}

/// 800 properties of about 300 to 2000 views a day; ten of them fail four times as often for three days.
void make_fleet(stream_profile& profile) {
  profile.values[property] = numbered("p", 800, 0.284, 0.5);
  profile.values[title] = numbered("t", 50, 1, 0.2);
  profile.retry = 0;
  for (int i = 0; i < 10; ++i) {
    auto one = incident(profile, 0.4 + 0.02 * i, 3.0 / 14, {{property, "p" + std::to_string(5 + 80 * i)}});
    one.times = 4;
    profile.incidents.push_back(one);
  }
}

} // namespace

stream_profile scenario(std::string_view name, std::optional<time_ms> length, std::optional<double> rate) {
  struct size {
    time_ms length;
    double rate;
  };
  auto own = size{1 * day_ms, 10};
  if (name == "sparse")
    own = {28 * day_ms, 500 * 20 / 86'400.0};
  else if (name == "flood")
    own = {1 * hour_ms, 2000};
  else if (name == "fleet")
    own = {14 * day_ms, 7};

  auto profile = quiet();
  profile.name = name;
  profile.length = length.value_or(own.length);
  profile.rate = rate.value_or(own.rate);
  if (name == "video")
    plant_video(profile);
  else if (name == "sparse")
    make_sparse(profile);
  else if (name == "flood")
    make_flood(profile);
  else if (name == "fleet")
    make_fleet(profile);
  return profile;
}

} // namespace tocsin::generator
