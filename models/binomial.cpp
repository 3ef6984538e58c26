#include "models/binomial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tocsin {

namespace {

constexpr double log_of_zero = std::numeric_limits<double>::lowest();
constexpr double precision = std::numeric_limits<double>::epsilon();
constexpr double tiny = 1e-300;        // keeps Lentz's method from dividing by zero
constexpr double large_variance = 1e7; // above, the uniform expansion is faster and accurate enough
constexpr int most_terms = 200'000;    // never reached below large_variance; bounds any input
constexpr double log_two_pi = 1.8378770664093454836;

// ln Gamma(x + 1) - ((x + 1/2) ln x - x + ln(2 pi)/2), the error of Stirling's formula; x > 0.
double stirling_error(double x) {
  // Upward to where the series holds. std::lgamma would do, but writes a global variable.
  auto result = 0.0;
  for (; x < 16; x += 1)
    result += (x + 0.5) * std::log1p(1 / x) - 1;
  const auto y = 1 / (x * x);
  return result + (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 * y) * y) * y) * y) / x;
}

// x ln(x/m) + m - x, without cancellation where x is near m; x, m > 0. The caller gives x - m, which it may know
// better than the rounded x and m tell.
double deviance(double x, double m, double difference) {
  const auto v = difference / (x + m);
  if (std::abs(v) >= 0.1)
    return std::max(0.0, x * std::log(x / m) - difference);
  auto result = difference * v;
  auto power = 2 * x * v;
  for (int j = 1; j < 1000; ++j) {
    power *= v * v;
    const auto next = result + power / (2 * j + 1);
    if (next == result)
      break;
    result = next;
  }
  return result;
}

double not_zero(double v) {
  return std::abs(v) < tiny ? tiny : v;
}

// sqrt(pi/2) exp(r^2/2) erfc(r/sqrt(2)): the normal upper tail over the normal density, less 1/r; r > 0.
double mills_ratio_less_reciprocal(double r) {
  constexpr auto root_half_pi = 1.2533141373155002512;
  if (r < 25)
    return root_half_pi * std::exp(r * r / 2) * std::erfc(r / std::sqrt(2.0)) - 1 / r;
  const auto y = 1 / (r * r);
  return (-1 + (3 - (15 - (105 - 945 * y) * y) * y) * y) * y / r;
}

// Temme's uniform expansion to its first correction, for beta and gamma alike:
//     T = Q(r) + phi(r) (1/d - 1/r),  r = sign(d) sqrt(2 deviance)
// with the normal tail Q and density phi, the deviance and the standardized distance d of the limit from the
// mean. For r -> 0 the bracket tends to skewness / (3 sqrt(variance)).
double log_uniform_tail(double deviance, double d, double variance, double skewness) {
  if (d < 0)
    return std::log1p(-std::exp(log_uniform_tail(deviance, -d, variance, -skewness)));
  const auto r = std::sqrt(2 * deviance);
  // Here the rounding of 1/d - 1/r and what its limit leaves out are equally small.
  const auto is_near = r < 6e-6 * std::sqrt(variance);
  if (is_near && r < 1e-8)
    return std::log(0.5 + (skewness / 3 / std::sqrt(variance) - r) * std::exp(-log_two_pi / 2));
  const auto bracket = is_near ? 1 / r + skewness / (3 * std::sqrt(variance)) : 1 / d;
  return std::log(mills_ratio_less_reciprocal(r) + bracket) - deviance - log_two_pi / 2;
}

// -- incomplete beta ------------------------------------------------------------------------------------------

// Beta(a, b) at x, with y = 1 - x given apart so that neither end loses digits.
struct beta_point {
  double a, b, x, y;

  double size() const { return a + b; }
  double variance() const { return a / size() * b; }
  beta_point mirrored() const { return {b, a, y, x}; }
  // a - size x = -(b - size y), from the smaller of x and y.
  double difference() const { return x <= y ? std::fma(-size(), x, a) : std::fma(size(), y, -b); }
  double deviance_sum() const { return deviance(a, size() * x, difference()) + deviance(b, size() * y, -difference()); }
};

// ln of x^a y^b / B(a, b): a b / (a + b) times Loader's binomial mass at a of a + b.
double log_kernel(const beta_point& at) {
  return stirling_error(at.size()) - stirling_error(at.a) - stirling_error(at.b) - at.deviance_sum() +
         0.5 * (std::log(at.a) + std::log(at.b / at.size()) - log_two_pi);
}

// x^a y^b / (B(a, b) I_x(a, b)) by the even part of DLMF 8.17.22, written with a - (a + b) x so that its terms are
// positive and lose nothing where x is near 1 (Didonato, Morris, "Algorithm 708", ACM TOMS 18(3), 1992); Lentz's
// method. Fast for x < (a + 1) / (a + b + 2).
double continued_fraction(const beta_point& at) {
  const auto a = at.a;
  const auto b = at.b;
  const auto x = at.x;
  const auto lead = at.difference() + 1;
  auto result = not_zero(a * lead / (a + 1));
  auto c = result;
  auto d = 0.0;
  for (int i = 1; i < most_terms; ++i) {
    const auto m = static_cast<double>(i);
    const auto s = a + 2 * m - 1;
    const auto w = m * (b - m) * x / s;
    const auto numerator = (a + m - 1) / s * (a + b + m - 1) * w * x;
    const auto denominator = m + w + (a + m) / (s + 2) * (lead + m * (1 + at.y));
    d = 1 / not_zero(denominator + numerator * d);
    c = not_zero(denominator + numerator / c);
    result *= c * d;
    if (std::abs(c * d - 1) < 2 * precision)
      break;
  }
  return result;
}

// ln I_x(a, b); a, b > 0, x and y inside (0, 1).
double log_incomplete_beta(const beta_point& at) {
  if (at.variance() > large_variance) {
    const auto d = at.difference() / std::sqrt(at.variance());
    return log_uniform_tail(at.deviance_sum(), d, at.variance(), (at.b - at.a) / at.size());
  }
  const auto log_ratio = [](const beta_point& p) { return log_kernel(p) - std::log(continued_fraction(p)); };
  if (at.difference() + 1 > 2 * at.x)
    return log_ratio(at);
  return std::log1p(-std::exp(log_ratio(at.mirrored())));
}

// ln(x / (1 - x)) of the x with ln I_x(a, b) = log_probability. Newton's method on the logarithm, which is
// concave in this variable, kept inside a bracket.
double logit_quantile(double a, double b, double log_probability) {
  auto low = -200.0; // covers every probability >= 5e-13 at a >= 1/2, b <= 1e19
  auto high = 200.0;
  auto t = std::log(a) - std::log(b);
  // Convergence is quadratic: after a step of this size, about 1e-7 standard deviations, nothing is left to gain.
  const auto last_step = 1e-7 * std::sqrt(1 / a + 1 / b);
  for (int i = 0; i < 200; ++i) {
    const beta_point at{a, b, 1 / (1 + std::exp(-t)), 1 / (1 + std::exp(t))};
    const auto log_reached = log_incomplete_beta(at);
    const auto step = (log_probability - log_reached) * std::exp(log_reached - log_kernel(at));
    if (std::abs(step) <= last_step)
      return t + step;
    (log_reached < log_probability ? low : high) = t;
    const auto is_inside = t + step > low && t + step < high;
    t = is_inside ? t + step : low + (high - low) / 2;
  }
  return t;
}

// -- incomplete gamma -----------------------------------------------------------------------------------------

// P(a, m) Gamma(a + 1) e^m / m^a, DLMF 8.7.1; fast for m < a + 1.
double gamma_series(double a, double m) {
  auto term = 1.0;
  auto sum = 1.0;
  for (int i = 1; i < most_terms && term > sum * precision; ++i) {
    term *= m / (a + i);
    sum += term;
  }
  return sum;
}

// Q(a, m) Gamma(a) e^m / m^a, DLMF 8.9.2 in its even form, by Lentz's method; fast for m > a + 1.
double gamma_fraction(double a, double m) {
  auto b = m + 1 - a;
  auto c = 1 / tiny;
  auto d = 1 / not_zero(b);
  auto result = d;
  for (int i = 1; i < most_terms; ++i) {
    const auto numerator = -i * (i - a);
    b += 2;
    d = 1 / not_zero(numerator * d + b);
    c = not_zero(b + numerator / c);
    result *= d * c;
    if (std::abs(d * c - 1) < 2 * precision)
      break;
  }
  return result;
}

// ln P(a, m); a, m > 0.
double log_incomplete_gamma(double a, double m) {
  const auto away = deviance(a, m, a - m);
  if (a > large_variance)
    return log_uniform_tail(away, (a - m) / std::sqrt(a), a, 1);
  // m^a e^-m / Gamma(a + 1), the Poisson mass at a.
  const auto log_mass = -stirling_error(a) - away - 0.5 * (std::log(a) + log_two_pi);
  if (m < a + 1)
    return log_mass + std::log(gamma_series(a, m));
  return std::log1p(-std::exp(log_mass + std::log(a) + std::log(gamma_fraction(a, m))));
}

// Inside what the interface promises, whatever rounding did.
double as_log_probability(double v) {
  return std::clamp(v, log_of_zero, 0.0);
}

} // namespace

double log_binomial_upper_tail(std::int64_t failures, std::int64_t total, double p) {
  if (failures <= 0)
    return 0;
  if (failures > total || p <= 0)
    return log_of_zero;
  if (p >= 1 || std::isnan(p))
    return 0;
  const auto k = static_cast<double>(failures);
  const auto rest = static_cast<double>(total - failures + 1);
  return as_log_probability(log_incomplete_beta({k, rest, p, 1 - p}));
}

double binomial_upper_tail(std::int64_t failures, std::int64_t total, double p) {
  return std::exp(log_binomial_upper_tail(failures, total, p));
}

double log_poisson_upper_tail(std::int64_t count, double mean) {
  if (count <= 0 || std::isnan(mean))
    return 0;
  if (mean <= 0)
    return log_of_zero;
  return as_log_probability(log_incomplete_gamma(static_cast<double>(count), std::min(mean, 1e18)));
}

double poisson_upper_tail(std::int64_t count, double mean) {
  return std::exp(log_poisson_upper_tail(count, mean));
}

interval jeffreys_interval(std::int64_t failed, std::int64_t total, double coverage) {
  if (total <= 0)
    return {0, 1};
  const auto inside = std::isnan(coverage) ? 0.95 : std::clamp(coverage, 0.0, 1 - 1e-12);
  const auto log_side = std::log((1 - inside) / 2);
  const auto e = std::clamp<std::int64_t>(failed, 0, total);
  const auto a = static_cast<double>(e) + 0.5;
  const auto b = static_cast<double>(total - e) + 0.5;
  interval result;
  if (e > 0)
    result.low = 1 / (1 + std::exp(-logit_quantile(a, b, log_side)));
  if (e < total) // the upper quantile is the lower one of the successes, mirrored: no digit is lost near 0
    result.high = 1 / (1 + std::exp(logit_quantile(b, a, log_side)));
  result.low = std::min(result.low, result.high); // equal but for rounding if the coverage is 0
  return result;
}

} // namespace tocsin
