#pragma once

#include <librdkafka/rdkafka.h>
#include <memory>

namespace tocsin::io::kafka {

template <class T, void (*Destroy)(T*)>
struct destroy_with {
  void operator()(T* owned) const { Destroy(owned); }
};
template <class T, void (*Destroy)(T*)>
using owned = std::unique_ptr<T, destroy_with<T, Destroy>>;

// Owners of librdkafka's objects: each is given back when its owner goes.
using client = owned<rd_kafka_t, rd_kafka_destroy>;
using settings = owned<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using queue = owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using partition_list = owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using group_metadata = owned<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;
using message = owned<rd_kafka_message_t, rd_kafka_message_destroy>;
using api_error = owned<rd_kafka_error_t, rd_kafka_error_destroy>;

} // namespace tocsin::io::kafka
