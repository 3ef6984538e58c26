#include "tools/generator/line_sink.hpp"

#include <utility>

namespace tocsin::generator {

namespace {

class line_files final : public line_sink {
public:
  explicit line_files(std::vector<tools::output_file> files) : files_(std::move(files)) {}
  std::size_t partitions() const override { return files_.size(); }
  io::result<char*> room(std::size_t partition, std::size_t bytes) override { return files_[partition].room(bytes); }
  io::result<void> commit(std::size_t partition, const char* end, const dimension_values& /*values*/) override {
    files_[partition].commit(end);
    return {};
  }
  io::result<void> close() override {
    for (auto& file : files_)
      if (auto closed = file.close(); !closed)
        return closed;
    return {};
  }

private:
  std::vector<tools::output_file> files_;
};

} // namespace

io::result<std::unique_ptr<line_sink>> open_line_files(const std::string& path, std::uint32_t partitions,
                                                       const std::string& header) {
  std::vector<tools::output_file> files;
  for (std::uint32_t i = 0; i < partitions; ++i) {
    auto file = tools::output_file::open(partitions == 1 ? path : path + "." + std::to_string(i));
    if (!file)
      return file.failure();
    files.push_back(std::move(*file));
    if (auto written = files.back().write(header); !written)
      return written.failure();
  }
  return std::unique_ptr<line_sink>(std::make_unique<line_files>(std::move(files)));
}

} // namespace tocsin::generator
