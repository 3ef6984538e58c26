#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace tocsin::actors {

/// A pool of large buffers (T has clear(), which keeps its memory): a message payload whose last reference goes is kept
/// for the next taker instead of being freed, because fresh blocks cost more in malloc than their contents.
///
/// Any thread may take and any thread may drop the last reference, also after the recycler itself has gone. At most
/// `capacity` unused objects are kept. Never fails.
template <class T>
class recycler {
public:
  explicit recycler(std::size_t capacity) : shelf_(std::make_shared<shelf>(capacity)) {}

  /// An empty object; it comes back when its last reference goes.
  std::shared_ptr<T> take() {
    auto object = shelf_->pop();
    object->clear();
    return std::shared_ptr<T>(object.release(), [home = shelf_](T* used) { home->push(std::unique_ptr<T>(used)); });
  }
  /// Objects kept for the next taker.
  std::size_t unused() const { return shelf_->size(); }

private:
  class shelf {
  public:
    explicit shelf(std::size_t capacity) : capacity_(capacity) { unused_.reserve(capacity); }
    std::unique_ptr<T> pop() {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!unused_.empty()) {
          auto object = std::move(unused_.back());
          unused_.pop_back();
          return object;
        }
      }
      return std::make_unique<T>();
    }
    void push(std::unique_ptr<T> object) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (unused_.size() < capacity_)
        unused_.push_back(std::move(object));
    }
    std::size_t size() const {
      const std::lock_guard<std::mutex> lock(mutex_);
      return unused_.size();
    }

  private:
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<T>> unused_;
  };
  std::shared_ptr<shelf> shelf_;
};

} // namespace tocsin::actors
