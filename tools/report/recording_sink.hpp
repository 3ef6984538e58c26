#pragma once

#include "io/alert_sink.hpp"
#include "tools/report/incident_book.hpp"

#include <memory>
#include <utility>

namespace tocsin::tools {

/// An alert sink whose records are also written into a book, when the other sink has them. Owned and used by one thread
/// (the sink actor's); the book may be read by others when that has ended. Fails as the other sink does.
class recording_sink final : public io::alert_sink {
public:
  recording_sink(std::unique_ptr<io::alert_sink> next, std::shared_ptr<incident_book> book)
      : next_(std::move(next)), book_(std::move(book)) {}

  io::result<void> complete(io::state_store& store) override {
    if (auto done = next_->complete(store); !done)
      return done;
    // Those that append() has brought are known by id and revision.
    return store.alerts(0, [this](const std::string& line) { return book_->add(line); });
  }

  io::result<void> append(const std::vector<std::string>& alerts) override {
    if (auto done = next_->append(alerts); !done)
      return done;
    for (const auto& line : alerts)
      if (auto done = book_->add(line); !done)
        return done;
    return {};
  }

private:
  std::unique_ptr<io::alert_sink> next_;
  std::shared_ptr<incident_book> book_;
};

} // namespace tocsin::tools
