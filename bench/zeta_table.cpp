// Simulates zeta, the share of its budget that a Shiryaev-Roberts component spends on false alarms, and prints
// `models/zeta_table.inc`:
//
//     bench_zeta_table > models/zeta_table.inc
//
// Deterministic: own random numbers, fixed seed. Takes about a minute.
#include "bench/support/zeta_simulation.hpp"
#include "models/zeta.hpp"

#include <cstdio>

int main() {
  std::puts("// Written by bench/zeta_table.cpp: zeta of theta = 1.3, 1.7, 2.5, 4, 8, 20, 60, 250. Do not edit.");
  for (const auto mean : tocsin::zeta_means) {
    const auto row = tocsin::simulate_zeta(mean, 4'000, 7).max(tocsin::zeta_floor).eval();
    std::printf("{%g, {", mean);
    for (Eigen::Index j = 0; j < tocsin::alternatives; ++j)
      std::printf("%s%.4f", j == 0 ? "" : ", ", row[j]);
    std::puts("}},");
    std::fflush(stdout);
  }
}
