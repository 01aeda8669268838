/** Functions over inet: comparisons and the parts of an address. */
import { compareAddresses, inetWithLength, parseAddress } from '../io/inet.ts';
import { comparisons, support } from './comparisons.ts';
import { register } from './registry.ts';

const IPV4_BYTES = 4;

comparisons('network_', 'inet', 'inet', compareAddresses);
support('network_cmp(inet,inet)', compareAddresses);

register('host(inet)', (d: string) => d.replace(/\/.*/, ''));
register('text(inet)', inetWithLength);
register('family(inet)', (d: string) => (parseAddress(d).bytes.length === IPV4_BYTES ? 4 : 6));
register('masklen(inet)', (d: string) => parseAddress(d).prefix);
