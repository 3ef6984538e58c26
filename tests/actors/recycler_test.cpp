#include "actors/recycler.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace tocsin::actors;

namespace {
std::atomic<int> alive{0};

struct buffer {
  buffer() { ++alive; }
  ~buffer() { --alive; }
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  void clear() { bytes.clear(); }
  std::vector<char> bytes;
};
} // namespace

TEST_CASE("recycler: an object comes back when its last reference goes, cleared and with its memory") {
  recycler<buffer> pool(4);
  auto first = pool.take();
  first->bytes.resize(1000);
  const auto* address = first.get();
  std::shared_ptr<const buffer> second = first;
  first.reset();
  CHECK(pool.unused() == 0);
  second.reset();
  CHECK(pool.unused() == 1);
  const auto again = pool.take();
  CHECK(again.get() == address);
  CHECK(again->bytes.empty());
  CHECK(again->bytes.capacity() >= 1000);
}

TEST_CASE("recycler: keeps at most its capacity, and objects may outlive it") {
  {
    std::shared_ptr<buffer> survivor;
    {
      recycler<buffer> pool(2);
      survivor = pool.take();
      {
        const auto a = pool.take(), b = pool.take(), c = pool.take();
        CHECK(alive == 4);
      }
      CHECK(pool.unused() == 2);
      CHECK(alive == 3);
    }
    survivor->bytes.push_back('x');
  }
  CHECK(alive == 0);
}

TEST_CASE("recycler: many threads take and drop") {
  {
    recycler<buffer> pool(8);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&pool] {
        std::vector<std::shared_ptr<buffer>> mine(3);
        for (std::size_t i = 0; i < 20000; ++i) {
          mine[i % 3] = pool.take();
          mine[i % 3]->bytes.push_back('x');
        }
      });
    for (auto& thread : threads)
      thread.join();
    CHECK(pool.unused() <= 8);
  }
  CHECK(alive == 0);
}
