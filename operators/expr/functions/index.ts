/** Registers every function module (and every type's I/O) and exports the registry. */
import '../io/index.ts';
import './bytea.ts';
import './comparisons.ts';
import './float.ts';
import './integer.ts';
import './like.ts';
import './numeric.ts';
import './regex.ts';
import './text.ts';
import './date.ts';
import './extract.ts';
import './interval.ts';
import './now.ts';
import './overlaps.ts';
import './time.ts';
import './time_zone.ts';
import './timestamp.ts';
import './array.ts';
import './json.ts';
import './json_build.ts';
import './jsonb.ts';
import './uuid.ts';
import './session.ts';
import './size.ts';
import './to_char.ts';

export * from './registry.ts';
