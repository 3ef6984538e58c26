// Stands in for libFuzzer where the compiler has none: runs every file of the corpus folders given as arguments, then a
// fixed number of random mutations of them, always the same ones.
//
//   decoder_fuzz tests/fuzz/corpus/decoder [mutations]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr unsigned default_mutations = 20'000;

/// Sorted by name, so that every machine makes the same mutations.
std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> seeds;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return seeds;
}

class mutator {
public:
  explicit mutator(const std::vector<std::string>& seeds) : seeds_(seeds), random_(1) {}

  std::string next() {
    auto text = seeds_[below(seeds_.size())];
    for (auto steps = 1 + below(6); steps > 0; --steps)
      change(text);
    return text;
  }

private:
  std::size_t below(std::size_t n) { return random_() % std::max<std::size_t>(n, 1); }

  void change(std::string& text) {
    // Characters that mean something to one of the parsers are worth more than random ones.
    constexpr char telling[] = "\"'\\{}[]()<>=,.:;%_-+/ \n\r\t0129eE\0\xC3\xFF";
    const auto at = below(text.size() + 1);
    switch (below(7)) {
    case 0: text.insert(at, 1, static_cast<char>(random_() & 0xFFU)); break;
    case 1: text.insert(at, 1, telling[below(sizeof telling - 1)]); break;
    case 2: text.erase(at, 1 + below(8)); break;
    case 3:
      if (at < text.size())
        text[at] = static_cast<char>(static_cast<unsigned>(text[at]) ^ (1U << below(8)));
      break;
    case 4: {
      const auto from = below(text.size() + 1);
      text.insert(at, std::string(text.substr(from, below(64))));
      break;
    }
    case 5: {
      const auto& other = seeds_[below(seeds_.size())];
      text.insert(at, other.substr(below(other.size() + 1), below(128)));
      break;
    }
    default: text.resize(at); break;
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
};

void run(const std::string& input) {
  // A copy of exactly this size, so that a sanitizer sees every byte read beyond it.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS]\n", argv[0]);
    return 2;
  }
  const auto seeds = read_corpus(argv[1]);
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: found no files, expected at least one seed\n", argv[1]);
    return 2;
  }
  for (const auto& seed : seeds)
    run(seed);
  const auto mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : default_mutations;
  mutator mutations_of(seeds);
  for (unsigned long i = 0; i < mutations; ++i)
    run(mutations_of.next());
  std::printf("%zu seeds, %lu mutations\n", seeds.size(), mutations);
  return 0;
}
