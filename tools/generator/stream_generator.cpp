#include "tools/generator/stream_generator.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::generator {

namespace {

constexpr time_ms tick = 10 * second_ms;
/// No view fails for certain: of the most broken things some still work.
constexpr double highest_rate = 0.95;
constexpr double two_pi = 6.283185307179586;

/// 1970-01-01 was a Thursday.
bool is_weekend(time_ms t) {
  const auto weekday = (tick_of(t, day_ms) % 7 + 7 + 4) % 7; // Sunday is 0
  return weekday == 0 || weekday == 6;
}

double angle_of_day(time_ms t) {
  const auto day = tick_start(tick_of(t, day_ms), day_ms);
  return two_pi * static_cast<double>(t - day) / static_cast<double>(day_ms);
}

/// Highest shortly before 13:00 UTC.
double volume_season(const stream_profile& profile, time_ms t) {
  const double daily = 1 + profile.volume_daily * std::sin(angle_of_day(t) - 1.8);
  return daily * (is_weekend(t) ? 1 + profile.volume_weekend : 1);
}

/// Two waves a day, so that rises are steeper than a sine.
double failure_season(const stream_profile& profile, time_ms t) {
  const double angle = angle_of_day(t);
  const double daily = profile.failure_daily * (std::sin(angle - 1.0) + 0.3 * std::sin(2 * angle + 0.7));
  return std::exp(daily + (is_weekend(t) ? 1 : -0.4) * profile.failure_weekend);
}

/// One step of a stationary autoregressive process with variance 1.
void step_noise(double& state, time_ms step, time_ms memory, random_source& random) {
  const double kept = std::exp(-static_cast<double>(step) / static_cast<double>(memory));
  state = kept * state + std::sqrt(1 - kept * kept) * random.normal();
}

/// exp(spread z) with mean 1.
double lognormal(double z, double spread) {
  return std::exp(spread * z - 0.5 * spread * spread);
}

/// A factor for each value whose mean over views is 1.
std::vector<double> make_factors(const dimension_profile& values, const std::vector<double>& weights,
                                 random_source& random) {
  if (values.rate_spread == 0)
    return {};
  std::vector<double> factors(weights.size());
  double mean = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i] = lognormal(random.normal(), values.rate_spread);
    mean += weights[i] * factors[i];
  }
  for (auto& factor : factors)
    factor /= mean;
  return factors;
}

alias_table make_code_table(const stream_profile& profile) {
  std::vector<double> weights;
  for (const auto& code : profile.error_codes)
    weights.push_back(code.weight);
  return alias_table(weights);
}

} // namespace

incident_matcher::incident_matcher(const stream_profile& profile, const planted_incident& incident)
    : begin_(profile.start + incident.start), end_(begin_ + incident.length) {
  for (const auto& [dimension, value] : incident.where)
    values_.emplace_back(dimension, *profile.values[dimension].find(value));
}

stream_generator::stream_generator(stream_profile profile, std::uint64_t seed)
    : profile_(std::move(profile)), random_(seed), code_table_(make_code_table(profile_)), now_(profile_.start),
      end_(profile_.start + profile_.length), weekend_mean_(1 + profile_.volume_weekend * 2 / 7) {
  for (std::size_t i = 0; i < dimensions; ++i) {
    const auto weights = zipf_weights(profile_.values[i].size(), profile_.values[i].skew);
    tables_.emplace_back(weights);
    factors_[i] = make_factors(profile_.values[i], weights, random_);
  }
  for (const auto& code : profile_.error_codes)
    error_codes_.push_back(code.code);
  for (const auto& incident : profile_.incidents) {
    const auto known = std::find(error_codes_.begin(), error_codes_.end(), incident.error_code);
    const auto index = static_cast<std::uint16_t>(known - error_codes_.begin());
    if (known == error_codes_.end() && !incident.error_code.empty())
      error_codes_.push_back(incident.error_code);
    planted_.push_back({incident_matcher(profile_, incident), &incident, index});
  }
  noise_.resize(profile_.values[property].size());
  volume_noise_ = random_.normal();
}

bool stream_generator::next(std::vector<generated_event>& out) {
  out.clear();
  if (now_ >= end_) {
    hand_over_until(end_of_time, out);
    return !out.empty();
  }
  const auto end = std::min(now_ + tick, end_);
  begin_tick();
  make_tick(end, out);
  now_ = end;
  hand_over_until(now_, out);
  return true;
}

void stream_generator::begin_tick() {
  season_ = failure_season(profile_, now_);
  step_noise(volume_noise_, tick, profile_.noise_memory, random_);
  active_.clear();
  for (const auto& each : planted_)
    if (each.matcher.begin() < now_ + tick && each.matcher.end() > now_)
      active_.push_back(&each);
}

void stream_generator::make_tick(time_ms end, std::vector<generated_event>& out) {
  const double seconds = static_cast<double>(end - now_) / 1000;
  const double mean = profile_.rate * seconds * volume_season(profile_, now_) / weekend_mean_ *
                      lognormal(volume_noise_, profile_.volume_noise);
  times_.resize(random_.poisson(mean));
  for (auto& time : times_)
    time = now_ + some_of(end - now_ - 1);
  std::sort(times_.begin(), times_.end());

  // First views and retries, merged by time; a view of this tick may be tried again within it.
  auto first = times_.begin();
  for (;;) {
    const bool first_left = first != times_.end();
    const bool retry_due = !retries_.empty() && retries_.front().view.time < (first_left ? *first : end);
    if (retry_due) {
      std::pop_heap(retries_.begin(), retries_.end());
      auto view = retries_.back().view;
      retries_.pop_back();
      decide_retry(view);
      deliver(view, out);
    } else if (first_left) {
      auto view = first_view(*first++);
      decide(view);
      deliver(view, out);
    } else {
      return;
    }
  }
}

generated_event stream_generator::first_view(time_ms time) {
  generated_event view;
  view.time = time;
  for (std::size_t i = 0; i < dimensions; ++i)
    view.values[i] = tables_[i].pick(random_);
  view.viewer = random_.below(profile_.viewers);
  return view;
}

void stream_generator::decide(generated_event& view) {
  double rate = profile_.failure_rate * season_ * noise_of(view.values[property]);
  for (std::size_t i = 0; i < dimensions; ++i)
    if (!factors_[i].empty())
      rate *= factors_[i][view.values[i]];
  rate = std::min(rate, highest_rate);
  view.expected = rate;

  // One coin decides with and without incidents, so that it is known which failures they caused.
  const double coin = random_.uniform();
  const planted* cause = nullptr;
  for (const auto* each : active_) {
    if (!each->matcher.matches(view))
      continue;
    const double raised =
        each->incident->rate.value_or(std::min(rate * each->incident->times.value_or(1), highest_rate));
    if (coin >= rate && coin < raised)
      cause = each;
    rate = raised;
  }
  view.extra = rate - view.expected;
  if (coin < rate) {
    view.outcome = view_outcome::failed;
    view.caused = cause != nullptr;
    view.error_code = static_cast<std::uint16_t>(code_table_.pick(random_));
    if (cause != nullptr && !cause->incident->error_code.empty())
      view.error_code = cause->error_code;
  } else if (profile_.warning_rate > 0 && random_.uniform() < profile_.warning_rate) {
    view.outcome = view_outcome::warning;
    view.error_code = static_cast<std::uint16_t>(code_table_.pick(random_));
  }
}

void stream_generator::decide_retry(generated_event& view) {
  // Without the incident there would be no such view.
  (view.caused ? view.extra : view.expected) = profile_.retry_failure;
  (view.caused ? view.expected : view.extra) = 0;
  const bool fails = random_.uniform() < profile_.retry_failure;
  view.outcome = fails ? view_outcome::failed : view_outcome::working;
}

double stream_generator::noise_of(std::uint32_t property_value) {
  auto& noise = noise_[property_value];
  if (noise.tick == now_)
    return noise.factor;
  if (profile_.failure_noise > 0) {
    const bool fresh = noise.tick == beginning_of_time;
    step_noise(noise.slow, fresh ? end_of_time : now_ - noise.tick, profile_.noise_memory, random_);
  }
  noise.tick = now_;
  noise.factor = lognormal(noise.slow, profile_.failure_noise);
  if (profile_.dispersion > 0)
    noise.factor *= random_.gamma(1 / profile_.dispersion) * profile_.dispersion;
  return noise.factor;
}

void stream_generator::deliver(generated_event view, std::vector<generated_event>& out) {
  view.number = ++made_;
  view.arrival = view.time;
  if (profile_.disorder > 0)
    view.arrival += some_of(profile_.disorder);
  if (profile_.late_fraction > 0 && random_.uniform() < profile_.late_fraction)
    view.arrival += profile_.late_by - some_of(profile_.late_by / 2);

  if (view.outcome == view_outcome::failed && profile_.retry > 0 && random_.uniform() < profile_.retry) {
    auto again = view;
    again.time += 2 * second_ms + some_of(13 * second_ms);
    if (again.time < end_) {
      retries_.push_back({again});
      std::push_heap(retries_.begin(), retries_.end());
    }
  }

  if (profile_.disorder == 0 && profile_.late_fraction == 0) {
    out.push_back(view);
    return;
  }
  arriving_.push_back(view);
  std::push_heap(arriving_.begin(), arriving_.end(), arrives_later());
}

void stream_generator::hand_over_until(time_ms arrival, std::vector<generated_event>& out) {
  while (!arriving_.empty() && arriving_.front().arrival < arrival) {
    out.push_back(arriving_.front());
    std::pop_heap(arriving_.begin(), arriving_.end(), arrives_later());
    arriving_.pop_back();
  }
}

} // namespace tocsin::generator
