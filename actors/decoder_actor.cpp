#include "actors/decoder_actor.hpp"

#include "actors/failure.hpp"

namespace tocsin::actors {

namespace {

struct decoder_state {
  static inline const char* name = "decoder";
  decoder_setup setup;
  std::unique_ptr<io::decoder> decoder;

  batch_ptr decode(const io::raw_block& block) {
    auto batch = setup.batches->take();
    decoder->decode(block, *batch);
    batch->partition = block.partition;
    batch->sequence = block.sequence;
    batch->incarnation = block.incarnation;
    batch->begin = block.begin;
    batch->next_offset = block.next_offset;
    batch->raw_bytes = block.size;
    return batch;
  }
};

decoder_actor::behavior_type decoder_behavior(decoder_actor::stateful_pointer<decoder_state> self,
                                              decoder_setup setup) {
  die_on_exception(self);
  self->state.decoder = setup.make_decoder();
  self->state.setup = std::move(setup);
  return {[self](const raw_block_ptr& block) {
    self->send(self->state.setup.counters[block->partition], self->state.decode(*block));
  }};
}

} // namespace

decoder_actor spawn_decoder(caf::local_actor* host, decoder_setup setup) {
  return host->spawn<caf::monitored>(decoder_behavior, std::move(setup));
}

} // namespace tocsin::actors
