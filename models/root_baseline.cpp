#include "models/root_baseline.hpp"

#include "models/hourly_learning.hpp"
#include "models/level.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace tocsin {

namespace {

constexpr double lowest_rate = 1e-6;
constexpr double highest_rate = 0.9;
constexpr double prior_failures = 0.5; ///< of both levels: half a failure ...
constexpr double prior_exposure = 1;   ///< ... on one event
constexpr double local_drift = 0.03;   ///< q: variance of ln rate gained an hour
constexpr double drift_an_hour = 0.08; ///< standard deviation of ln rate for each hour of age of the local data
constexpr double most_drift = 0.4;
constexpr double experience = 6;            ///< k_c of a cell without visits
constexpr double learnable_variance = 0.25; ///< dispersion is learned only where p0 is known this well
constexpr double lowest_misfit = 0.02 * 0.02;
constexpr double mean_weight = 0.02; ///< of a tick, in the moving mean of expected failures
constexpr double longest_local_quarantine = 900;
constexpr double shortest_quarantine = 10;
constexpr double longest_gap_hours = 28 * 24;
constexpr double epsilon = 1e-6;

} // namespace

root_baseline::root_baseline(const baseline_clock& clock, double now) : clock_(clock), begin_(now), end_(now) {}

// ---- Expecting.

void root_baseline::advance(double now, double local, const season_position& at) {
  local_offset_ = local - now;
  pass(now);
  end_ = std::max(end_, now);
  refresh(at);
}

void root_baseline::refresh(const season_position& at) {
  at_ = at;
  if (is_known(at.first) && is_known(at.second)) {
    if (!shaped_) {
      // Until now local exposure counted events; from now on it counts events times season.
      shaped_ = true;
      const auto now_factor = at.between(factor(at.first), factor(at.second));
      local_exposure_ *= now_factor;
      local_moment_ *= now_factor;
      for (std::size_t i = local_; i < count_; ++i)
        blocks_[i].exposure *= now_factor;
    }
    forecast_seasonal(at);
  } else {
    forecast_local(at);
  }
  forecast_.rate = std::clamp(forecast_.rate, lowest_rate, highest_rate);
  forecast_.misfit = sigma_squared_;
  forecast_.dispersion = kappa_;
  forecast_.level = shaped_ ? level_ : 1;
}

double root_baseline::strength(const cell_state& of) const {
  return std::min(season_strength, experience * (1 + static_cast<double>(of.visits)));
}

double root_baseline::factor(std::uint32_t number) const {
  const auto& one = cells_[number];
  const auto k = strength(one);
  return (static_cast<double>(one.failures) + k) / (static_cast<double>(one.expected) + k);
}

void root_baseline::forecast_seasonal(const season_position& at) {
  const auto& a = cells_[at.first];
  const auto& b = cells_[at.second];
  const auto over_dispersion = 1 + kappa_ * mean_failures_;
  const auto visits = at.between(static_cast<double>(a.visits), static_cast<double>(b.visits));
  const auto known =
      at.between(static_cast<double>(a.failures) + strength(a), static_cast<double>(b.failures) + strength(b));
  forecast_.seasonal = true;
  forecast_.blind = false;
  forecast_.first_factor = factor(at.first);
  forecast_.second_factor = factor(at.second);
  forecast_.rate = level_ * at.between(forecast_.first_factor, forecast_.second_factor);
  forecast_.inherited = 1 / (slow_failures_ + prior_failures) + over_dispersion / known;
  forecast_.variance = forecast_.inherited + sigma_squared_ * (1 + 1 / visits);
}

void root_baseline::forecast_local(const season_position& at) {
  const auto best_of = [&](std::uint32_t number) { return is_known(number) ? number : other_day(number); };
  const auto first = best_of(at.first);
  const auto second = best_of(at.second);
  const auto over_dispersion = 1 + kappa_ * mean_failures_;
  const bool borrowed = shaped_ && is_known(first) && is_known(second);
  const auto season = borrowed ? at.between(factor(first), factor(second)) : 1;
  const auto age = local_exposure_ > 0 ? (end_ - begin_ - local_moment_ / local_exposure_) / clock_.hour : 0;
  const auto drift = std::min(drift_an_hour * age, most_drift);
  forecast_.seasonal = false;
  forecast_.blind = local_exposure_ <= prior_exposure;
  forecast_.first_factor = forecast_.second_factor = season;
  forecast_.rate = (local_failures_ + prior_failures) / (local_exposure_ + prior_exposure) * season;
  forecast_.inherited = over_dispersion / (local_failures_ + prior_failures) + drift * drift;
  if (borrowed) {
    const auto& from = cells_[other_day(at.first)];
    forecast_.inherited += over_dispersion / (static_cast<double>(from.failures) + strength(from));
  }
  forecast_.variance = forecast_.inherited + sigma_squared_;
}

// ---- Learning.

void root_baseline::learn(std::int64_t total, std::int64_t failed, lesson how) {
  const bool spoiled = how == lesson::none;
  const auto n = static_cast<double>(total);
  const auto e = static_cast<double>(failed);
  const auto expected = n * forecast_.rate;
  if (n > 0 && !forecast_.blind)
    mean_failures_ = mean_failures_ <= 0 ? expected : mean_failures_ + mean_weight * (expected - mean_failures_);
  learn_hour(end_);
  if (forecast_.variance < learnable_variance) {
    hour_expected_ += expected;
    hour_failed_ += e;
    hour_squares_ += expected * expected;
    if (n > 0 && !spoiled) {
      dispersion_.observe(e, expected, forecast_.rate, kappa_, level_kept(clock_.tick / clock_.hour));
      kappa_ = dispersion_.value();
    }
  }
  hour_spoiled_ = hour_spoiled_ || spoiled;

  if (has_current_ && (at_.cell != current_.cell || current_.length + clock_.tick > block_length() + epsilon))
    close_block();
  if (!has_current_) {
    current_ = {};
    current_.begin = end_;
    current_.cell = at_.cell;
    has_current_ = true;
  }
  const auto season = at_.between(forecast_.first_factor, forecast_.second_factor);
  current_.length += clock_.tick;
  current_.failed += e;
  current_.total += n;
  current_.exposure += n * season;
  current_.expected += expected;
  current_.squares += expected * expected;
  current_.spoiled = current_.spoiled || spoiled;
  current_.whole = current_.whole || how == lesson::whole;
  end_ += clock_.tick;
  release_blocks();
}

void root_baseline::learn_hour(double now) {
  const auto hour = std::floor(now / clock_.hour);
  if (hour == hour_)
    return;
  if (hour_expected_ > 0 && !hour_spoiled_) {
    const auto half_life = std::clamp(age() / 2, 6 * clock_.hour, level_half_life_hours * clock_.hour);
    misfit_.observe(hour_failed_, hour_expected_, hour_squares_, kappa_, sigma_squared_,
                    std::exp2(-clock_.hour / half_life));
    sigma_squared_ = misfit_.value(prior_misfit, lowest_misfit);
  }
  hour_ = hour;
  hour_failed_ = hour_expected_ = hour_squares_ = 0;
  hour_spoiled_ = false;
}

double root_baseline::quarantine() const {
  return std::clamp(age() / 3, shortest_quarantine, clock_.hour);
}

double root_baseline::block_length() const {
  return std::max(clock_.tick, quarantine() / 4);
}

/// Time in which nothing happened: it belongs to the block at hand, as far as that reaches; then whole cells pass.
void root_baseline::pass(double until) {
  auto from = std::max(end_, until - longest_gap_hours * clock_.hour);
  while (from + epsilon < until) {
    const auto local = from + local_offset_;
    const auto edge = (std::floor(local / 3600 + epsilon) + 1) * 3600 - local_offset_;
    const auto to = std::min({until, std::max(edge, from + 1), from + std::max(clock_.hour, 3600.0)});
    const auto number =
        static_cast<std::uint8_t>(season_cell(static_cast<std::int64_t>((from + local_offset_) * 1000)));
    const auto length = to - from;
    if (has_current_ && current_.cell == number && current_.length + length <= block_length() + epsilon) {
      current_.length += length;
    } else {
      close_block();
      block empty;
      empty.begin = from;
      empty.length = length;
      empty.cell = number;
      end_ = to;
      release_blocks();
      learn_local(empty);
      learn_slow(empty);
    }
    from = to;
    end_ = to;
  }
  release_blocks();
}

void root_baseline::close_block() {
  if (!has_current_)
    return;
  has_current_ = false;
  if (count_ == most_blocks) {
    // No room (blocks were short and the quarantine has grown): the oldest leaves it early.
    if (local_ == 0)
      learn_local(blocks_[0]);
    else
      --local_;
    learn_slow(blocks_[0]);
    std::move(blocks_.begin() + 1, blocks_.end(), blocks_.begin());
    --count_;
  }
  blocks_[count_++] = current_;
}

void root_baseline::release_blocks() {
  const auto served = [&](const block& what, double long_enough) {
    return end_ - (what.begin + what.length) >= long_enough - epsilon;
  };
  for (; local_ < count_ && served(blocks_[local_], std::min(longest_local_quarantine, quarantine())); ++local_)
    learn_local(blocks_[local_]);
  std::uint8_t gone = 0;
  for (; gone < local_ && served(blocks_[gone], quarantine()); ++gone)
    learn_slow(blocks_[gone]);
  if (gone == 0)
    return;
  std::move(blocks_.begin() + gone, blocks_.begin() + count_, blocks_.begin());
  count_ = static_cast<std::uint8_t>(count_ - gone);
  local_ = static_cast<std::uint8_t>(local_ - gone);
}

double root_baseline::failures_of(const block& what) const {
  return what.whole ? what.failed : robust_failures(what.failed, what.expected, what.squares, kappa_, sigma_squared_);
}

void root_baseline::learn_slow(const block& what) {
  if (what.spoiled)
    return;
  const auto failed = failures_of(what);
  const auto kept = level_kept(what.length / clock_.hour, slow_failures_);
  slow_failures_ = slow_failures_ * kept + failed;
  slow_exposure_ = slow_exposure_ * kept + what.exposure;
  const auto before = level_;
  level_ = (slow_failures_ + prior_failures) / (slow_exposure_ + prior_exposure);
  if (!shaped_) {
    // What cells expect is counted at the level: it moves until there is a shape.
    const auto moved = static_cast<float>(level_ / before);
    for (auto& one : cells_)
      one.expected *= moved;
  }
  auto& one = cells_[what.cell];
  const auto visit_kept = std::exp2(-what.length / clock_.hour / season_half_life);
  one.failures = static_cast<float>(static_cast<double>(one.failures) * visit_kept + failed);
  one.expected = static_cast<float>(static_cast<double>(one.expected) * visit_kept + what.total * level_);
  one.visits = static_cast<float>(static_cast<double>(one.visits) * visit_kept + what.length / clock_.hour);
}

void root_baseline::learn_local(const block& what) {
  if (what.spoiled)
    return;
  const auto failed = failures_of(what);
  const auto kept = 1 / (1 + local_failures_ * local_drift * what.length / clock_.hour);
  local_failures_ = local_failures_ * kept + failed;
  local_exposure_ = local_exposure_ * kept + what.exposure;
  local_moment_ = local_moment_ * kept + what.exposure * (what.begin + what.length / 2 - begin_);
}

void root_baseline::spoil_quarantine() {
  for (std::size_t i = 0; i < count_; ++i)
    blocks_[i].spoiled = true;
  current_.spoiled = has_current_;
}

void root_baseline::spoil(double from, double to) {
  const auto overlaps = [&](double begin, double length) { return begin < to && begin + length > from; };
  for (std::size_t i = 0; i < count_; ++i)
    blocks_[i].spoiled = blocks_[i].spoiled || overlaps(blocks_[i].begin, blocks_[i].length);
  current_.spoiled = current_.spoiled || (has_current_ && overlaps(current_.begin, current_.length));
  hour_spoiled_ = hour_spoiled_ || overlaps(hour_ * clock_.hour, clock_.hour);
}

void root_baseline::accept(double rate) {
  const auto times = std::clamp(rate, lowest_rate, highest_rate) / forecast_.rate;
  if (times <= 1)
    return;
  slow_exposure_ /= times;
  local_exposure_ /= times;
  local_moment_ /= times;
  level_ *= times;
}

bool root_baseline::is_plausible() const {
  bool finite = true;
  auto copy = *this;
  copy.for_each([&](auto& number) {
    if constexpr (std::is_floating_point_v<std::decay_t<decltype(number)>>)
      finite = finite && std::isfinite(number) && std::abs(number) < 1e300;
  });
  const auto fits = [](const cell_state& one) { return one.failures >= 0 && one.expected >= 0 && one.visits >= 0; };
  const auto is_block = [](const block& one) {
    return one.cell < season_cells && one.length >= 0 && one.failed >= 0 && one.total >= 0 && one.exposure >= 0 &&
           one.expected >= 0 && one.squares >= 0;
  };
  return finite && begin_ <= end_ && count_ <= most_blocks && local_ <= count_ &&
         std::all_of(cells_.begin(), cells_.end(), fits) && std::all_of(blocks_.begin(), blocks_.end(), is_block) &&
         is_block(current_) && slow_failures_ >= 0 && slow_exposure_ >= 0 && level_ > 0 && local_failures_ >= 0 &&
         local_exposure_ >= 0 && kappa_ > 0 && sigma_squared_ > 0 && mean_failures_ >= 0;
}

} // namespace tocsin
