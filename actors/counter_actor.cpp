#include "actors/counter_actor.hpp"

#include "actors/failure.hpp"
#include "actors/sequencer.hpp"

#include <variant>

namespace tocsin::actors {

namespace {

class counter_state {
public:
  static inline const char* name = "counter";
  explicit counter_state(counter_actor::pointer self) : self_(self) {}

  void begin(counter_setup setup) {
    coordinator_ = std::move(setup.coordinator);
    counter_.emplace(std::move(setup.spec), setup.partition, setup.start, setup.judged_through,
                     std::move(setup.journal));
  }

  template <class Item>
  void put(std::uint64_t sequence, const Item& item) {
    in_order_.put(sequence, item);
    // Whatever became ready together is told together.
    auto out = std::make_shared<counted_news>();
    bool ready = false;
    while (const auto next = in_order_.next()) {
      std::visit([&](const auto& what) { take(what, *out); }, *next);
      ready = true;
    }
    if (ready)
      tell(std::move(out));
  }

  void advance(time_ms watermark) {
    counter_->advance(watermark, journal_kind::idle);
    tell(std::make_shared<counted_news>());
  }

private:
  void take(const batch_ptr& batch, counted_news& out) {
    counter_->count(*batch);
    out.raw_bytes += batch->raw_bytes;
    out.silent_since.reset();
  }
  void take(const end_mark& mark, counted_news& out) {
    if (mark.ended)
      counter_->finish();
    else
      out.silent_since = mark.silent_since;
  }
  void tell(counted_ptr out) {
    out->news = counter_->take();
    self_->send(coordinator_, std::move(out));
  }

  counter_actor::pointer self_;
  coordinator_actor coordinator_;
  std::optional<partition_counter> counter_;
  sequencer<std::variant<batch_ptr, end_mark>> in_order_;
};

counter_actor::behavior_type counter_behavior(counter_actor::stateful_pointer<counter_state> self,
                                              counter_setup setup) {
  die_on_exception(self);
  self->state.begin(std::move(setup));
  return {
      [self](const batch_ptr& batch) { self->state.put(batch->sequence, batch); },
      [self](const end_mark& mark) { self->state.put(mark.sequence, mark); },
      [self](const let_go& order) { self->state.advance(order.watermark); },
  };
}

} // namespace

counter_actor spawn_counter(caf::local_actor* host, counter_setup setup) {
  return host->spawn<caf::monitored>(counter_behavior, std::move(setup));
}

} // namespace tocsin::actors
