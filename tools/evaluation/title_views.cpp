#include "tools/evaluation/title_views.hpp"

#include <utility>

namespace tocsin::evaluation {

title_views::title_views(const stream_shape& shape, std::size_t titles, std::uint32_t cdns, double skew,
                         std::uint64_t seed, time_ms start)
    : stream_(shape, seed_of({seed, 0}), start), random_(seed_of({seed, 1})),
      titles_(static_cast<std::uint32_t>(titles)), cdns_(cdns) {
  if (skew > 0)
    popularity_ = std::make_shared<generator::alias_table>(generator::zipf_weights(titles_, skew));
  generator::random_source random(seed_of({seed, 2}));
  std::vector<double> factors(titles);
  for (auto& factor : factors)
    factor = std::exp(0.5 * random.normal() - 0.125);
  factors_ = std::make_shared<std::vector<double>>(std::move(factors));
}

leaf_key title_leaf(std::uint32_t title) {
  return make_leaf({"t" + std::to_string(title)});
}

leaf_key title_and_cdn_leaf(std::uint32_t title, std::uint32_t cdn) {
  return make_leaf({"t" + std::to_string(title), "cdn" + std::to_string(cdn)});
}

} // namespace tocsin::evaluation
