/** Parts of regular expressions, for those that tests put together: groups, ways back, anchors, most of them of one pass. */
export const SIMPLE_PARTS = [
  '(&|^)',
  '([^&]*)',
  'x',
  '(x)',
  '(x|y)',
  '[xy]?',
  '(y*)',
  '&',
  '(?:x|&)*',
  '^',
  '$',
  '(&|$)',
  '(x)?',
  '.',
  'x{2}',
  '(x{1,2})',
];
