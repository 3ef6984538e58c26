#include "models/hourly_learning.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

void learning_columns::add(double hour_failed, double hour_expected, double squares_of_ticks, double kappa,
                           double sigma_squared) {
  if (rows_ == failed.size()) {
    const auto room = std::max<Eigen::Index>(64, 2 * rows_);
    for (auto* column : {&failed, &expected, &squares, &dispersion, &misfit, &robust_})
      column->conservativeResize(room);
  }
  failed[rows_] = hour_failed;
  expected[rows_] = hour_expected;
  squares[rows_] = squares_of_ticks;
  dispersion[rows_] = kappa;
  misfit[rows_] = sigma_squared;
  ++rows_;
}

const Eigen::ArrayXd& learning_columns::robust_failures() {
  const auto mean = expected.head(rows_);
  const auto variance = mean + dispersion.head(rows_) * squares.head(rows_) + misfit.head(rows_) * mean.square();
  robust_.head(rows_) = failed.head(rows_).min(mean + 3 * variance.sqrt() + 0.5);
  return robust_;
}

double robust_failures(double failed, double expected, double squares_of_ticks, double kappa, double sigma_squared) {
  const auto variance = expected + kappa * squares_of_ticks + sigma_squared * expected * expected;
  return std::min(failed, expected + 3 * std::sqrt(variance) + 0.5);
}

} // namespace tocsin
