#include "models/likelihood_ratio.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double lowest_rate = 1e-9;
constexpr double highest_rate = 0.95;
constexpr double highest_dispersion = 1000;
constexpr double largest_result = 1e4;
constexpr double lowest_dispersion = 1e-6; // of the forms that have one: below, 1/k would lose digits
constexpr double negligible_excess = 1e-3; // twice that of an expectation over 1
constexpr double low_rate = 0.05;          // up to here, a binomial is a Poisson to our purpose
constexpr double smallest_precision = 0.5; // s: the beta distribution is bathtub-shaped below 1

struct odds_table {
  per_alternative theta;
  per_alternative log_theta;

  odds_table() {
    theta << 1.3, 1.7, 2.5, 4, 8, 20, 60, 250;
    log_theta = theta.log();
  }
};

const odds_table odds;

struct tick_counts {
  double total;
  double failed;
};

// The C library's logarithm, lane by lane: twice as fast as Eigen's packets of two doubles.
template <class Numbers>
Numbers log_of(const Numbers& x) {
  return x.unaryExpr([](double lane) { return std::log(lane); });
}

tick_counts clamped(std::int64_t total, std::int64_t failed) {
  const auto most = std::max<std::int64_t>(total, 0);
  return {static_cast<double>(most), static_cast<double>(std::clamp<std::int64_t>(failed, 0, most))};
}

// Whether dispersion can show in n events; `distance` is (q - p) / (1 - p) of the rates p and q that are compared.
bool is_dispersed(double n, double dispersion, double distance) {
  return dispersion * n * (n - 1) * distance * distance > negligible_excess;
}

double clamped_rate(double rate) {
  return std::clamp(rate, lowest_rate, highest_rate);
}

// The precision s of the beta distribution with variance k p^2.
double beta_precision(double rate, double dispersion) {
  return std::max(smallest_precision, (1 - rate) / (rate * dispersion) - 1);
}

// -- eight alternatives -------------------------------------------------------------------------------------------

// What the forms share: x = p (theta - 1), u = 1 + x and d = (p_j - p) / (1 - p) = x / u.
struct raised_odds {
  per_alternative x;
  per_alternative u; // above 1, since x >= 3e-10
  per_alternative distance;

  explicit raised_odds(double rate) : x(rate * (odds.theta - 1)), u(1 + x), distance(x / u) {}
};

per_alternative bernoulli(const tick_counts& n, const raised_odds& raised) {
  return n.failed * odds.log_theta - n.total * (raised.x * log_of(raised.u) / (raised.u - 1));
}

per_alternative negative_binomial(const tick_counts& n, const raised_odds& raised, double rate, double dispersion) {
  const auto k_mu = dispersion * n.total * rate;
  // rho - 1 = d (1 - p) / p
  const per_alternative growth = 1 + (k_mu / (1 + k_mu) * (1 - rate) / rate) * raised.distance;
  const auto exponent = 1 / dispersion + n.failed;
  if (n.failed == 0)
    return -exponent * log_of(growth);
  return n.failed * (odds.log_theta - log_of(raised.u)) - exponent * log_of(growth);
}

// The alternatives and the null behind them; one more to fill the last packet.
using lanes = Eigen::Array<double, alternatives + 2, 1>;

// What Stirling's formula for ln Gamma(x) lacks beside (x - 1/2) ln x - x + ln(2 pi)/2; x >= 8, error below 2e-14.
template <class Numbers>
Numbers stirling_rest(const Numbers& x) {
  const Numbers y = 1 / (x * x);
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 - 691.0 / 360360 * y) * y) * y) * y) * y) / x;
}

// ln Gamma(x + m) - ln Gamma(x) + ln(shift), where the caller takes one logarithm of all shifts.
template <class Numbers>
Numbers log_rising(const Numbers& x, double m, Numbers& shift) {
  // Few steps are multiplied: a product of twice twelve factors below 2e7 (the largest precision) is far from overflow.
  constexpr auto most_factors = 12.0;
  if (m <= most_factors) {
    Numbers product = Numbers::Ones();
    for (auto i = 0.0; i < m; ++i)
      product *= x + i;
    shift /= product;
    return Numbers::Zero();
  }
  constexpr auto steps = 8.0;
  Numbers below = x;
  Numbers above = x + m;
  for (auto i = 1.0; i < steps; ++i) {
    below *= x + i;
    above *= x + (m + i);
  }
  shift *= above / below;
  const Numbers a = x + steps;
  const Numbers b = x + (m + steps);
  return (b - 0.5) * log_of(b) - (a - 0.5) * log_of(a) - m + stirling_rest(b) - stirling_rest(a);
}

// ln B(e + p s, n - e + (1 - p) s) - ln B(p s, (1 - p) s) without what does not depend on p.
template <class Numbers>
Numbers log_beta_binomial(const tick_counts& n, const Numbers& failing, const Numbers& succeeding) {
  Numbers shift = Numbers::Ones();
  const Numbers rising =
      log_rising<Numbers>(failing, n.failed, shift) + log_rising<Numbers>(succeeding, n.total - n.failed, shift);
  return rising - log_of(shift);
}

per_alternative beta_binomial(const tick_counts& n, double rate, double dispersion) {
  const auto s = beta_precision(rate, dispersion);
  lanes theta = lanes::Ones();
  theta.head<alternatives>() = odds.theta;
  const lanes scale = s / (1 + rate * (theta - 1));
  const lanes logs = log_beta_binomial<lanes>(n, rate * theta * scale, (1 - rate) * scale);
  return logs.head<alternatives>() - logs[alternatives];
}

// -- eight alternatives, few events: products ----------------------------------------------------------------------

// Up to here no power leaves e^600: 250^108 = e^596.
constexpr double most_multiplied = 108;
constexpr double most_steps = 24;
constexpr double largest_exponent = 600;

per_alternative power(per_alternative base, int exponent) {
  per_alternative result = per_alternative::Ones();
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0)
      result *= base;
    base *= base;
  }
  return result;
}

// Overwrites the alternatives from `first` on; `failing`: rho^e.
void multiply_negative_binomial(const tick_counts& n, const raised_odds& raised, double rate, double dispersion,
                                const per_alternative& failing, Eigen::Index first, per_alternative& out) {
  const auto k_mu = dispersion * n.total * rate;
  const auto growth = k_mu / (1 + k_mu) * (1 - rate) / rate; // of 1, times rho - 1 = d (1 - p) / p
  const auto exponent = 1 / dispersion + n.failed;
  for (auto j = first; j < alternatives; ++j)
    out[j] = failing[j] * std::exp(std::max(-exponent * std::log(1 + growth * raised.distance[j]), -largest_exponent));
}

// The ratio of rising factorials, factor by factor, so that it stays in range.
per_alternative multiply_beta_binomial(const tick_counts& n, double rate, double dispersion) {
  const auto s = beta_precision(rate, dispersion);
  const per_alternative scale = s / (1 + rate * (odds.theta - 1));
  const per_alternative failing = rate * odds.theta * scale;
  const per_alternative succeeding = (1 - rate) * scale;
  per_alternative result = per_alternative::Ones();
  for (auto i = 0.0; i < n.failed; ++i)
    result *= (failing + i) * (1 / (rate * s + i));
  for (auto i = 0.0; i < n.total - n.failed; ++i)
    result *= (succeeding + i) * (1 / ((1 - rate) * s + i));
  return result;
}

// -- one alternative ----------------------------------------------------------------------------------------------

double bernoulli(const tick_counts& n, double p, double q) {
  return n.failed * std::log1p((q - p) / p) + (n.total - n.failed) * std::log1p((p - q) / (1 - p));
}

double negative_binomial(const tick_counts& n, double p, double q, double dispersion) {
  const auto k_mu = dispersion * n.total * p;
  const auto raised = (q - p) / p;
  return n.failed * std::log1p(raised) - (1 / dispersion + n.failed) * std::log1p(k_mu / (1 + k_mu) * raised);
}

double beta_binomial(const tick_counts& n, double p, double q, double dispersion) {
  const auto s = beta_precision(p, dispersion);
  using pair = Eigen::Array2d;
  const pair rates(p, q);
  const pair logs = log_beta_binomial<pair>(n, rates * s, (1 - rates) * s);
  return logs[1] - logs[0];
}

} // namespace

const per_alternative& odds_ratios() {
  return odds.theta;
}

per_alternative log_likelihood_ratios(std::int64_t total, std::int64_t failed, double rate, double dispersion) {
  if (std::isnan(rate) || std::isnan(dispersion))
    return per_alternative::Zero();
  const auto n = clamped(total, failed);
  const auto p = clamped_rate(rate);
  const raised_odds raised(p);
  const auto shows = [&](Eigen::Index j) { return is_dispersed(n.total, dispersion, raised.distance[j]); };
  const auto shows_in_some = shows(alternatives - 1); // the farthest
  const auto shows_in_all = shows(0);
  per_alternative result;
  if (!shows_in_all)
    result = bernoulli(n, raised);
  if (shows_in_some) {
    const auto k = std::clamp(dispersion, lowest_dispersion, highest_dispersion);
    const auto dispersed = p <= low_rate ? negative_binomial(n, raised, p, k) : beta_binomial(n, p, k);
    for (Eigen::Index j = 0; j < alternatives; ++j)
      if (shows_in_all || shows(j))
        result[j] = dispersed[j];
  }
  return result.max(-largest_result).min(largest_result);
}

per_alternative likelihood_ratios(std::int64_t total, std::int64_t failed, double rate, double dispersion) {
  const auto n = clamped(total, failed);
  const auto p = clamped_rate(rate);
  const bool is_low = p <= low_rate;
  if (!(n.total <= (is_low ? most_multiplied : most_steps)) || std::isnan(rate) || std::isnan(dispersion))
    return log_likelihood_ratios(total, failed, rate, dispersion).max(-largest_exponent).min(largest_exponent).exp();
  const raised_odds raised(p);
  // The farther an alternative, the sooner dispersion shows.
  Eigen::Index first = alternatives;
  while (first > 0 && is_dispersed(n.total, dispersion, raised.distance[first - 1]))
    --first;
  const auto k = std::clamp(dispersion, lowest_dispersion, highest_dispersion);
  if (first == 0 && !is_low)
    return multiply_beta_binomial(n, p, k);
  const auto failures = static_cast<int>(n.failed);
  const per_alternative inverse = 1 / raised.u;
  const per_alternative failing = power(odds.theta * inverse, failures);
  per_alternative result = failing * power(inverse, static_cast<int>(n.total) - failures);
  if (first == alternatives)
    return result;
  if (is_low) {
    multiply_negative_binomial(n, raised, p, k, failing, first, result);
    return result;
  }
  result.tail(alternatives - first) = multiply_beta_binomial(n, p, k).tail(alternatives - first);
  return result;
}

double log_likelihood_ratio(std::int64_t total, std::int64_t failed, double null_rate, double alternative_rate,
                            double dispersion) {
  if (std::isnan(null_rate) || std::isnan(alternative_rate) || std::isnan(dispersion))
    return 0;
  const auto n = clamped(total, failed);
  const auto p = clamped_rate(null_rate);
  const auto q = clamped_rate(alternative_rate);
  const auto k = std::clamp(dispersion, lowest_dispersion, highest_dispersion);
  const auto result = !is_dispersed(n.total, dispersion, (q - p) / (1 - p)) ? bernoulli(n, p, q)
                      : p <= low_rate                                       ? negative_binomial(n, p, q, k)
                                                                            : beta_binomial(n, p, q, k);
  return std::clamp(result, -largest_result, largest_result);
}

} // namespace tocsin
