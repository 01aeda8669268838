/** Registers the I/O of every type family and exports the dispatchers. */
import './bit.ts';
import './bool.ts';
import './integer.ts';
import './float.ts';
import './numeric.ts';
import './string.ts';
import './bytea.ts';
import './record.ts';
import './reg.ts';
import './datetime.ts';
import './enum.ts';
import './array.ts';
import './range.ts';
import './json.ts';
import './aclitem.ts';
import './inet.ts';
import './macaddr.ts';
import './uuid.ts';

export * from './registry.ts';
