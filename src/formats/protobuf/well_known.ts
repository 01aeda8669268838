/** Files that schemas import without having them: registries know them. */

/** Those that protobufjs has with it. */
export const BUNDLED = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers'].map(
  (name) => `google/protobuf/${name}.proto`,
);

/** What Kafka Connect writes dates, times and decimals as. */
export const BUNDLED_TEXTS: Record<string, { package: string; text: string } | undefined> = {
  'google/type/date.proto': {
    package: 'google.type',
    text: `syntax = "proto3"; package google.type;
      message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`,
  },
  'google/type/timeofday.proto': {
    package: 'google.type',
    text: `syntax = "proto3"; package google.type;
      message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }`,
  },
  'confluent/type/decimal.proto': {
    package: 'confluent.type',
    text: `syntax = "proto3"; package confluent.type;
      message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`,
  },
};
