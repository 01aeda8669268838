/** The import walls: operators/ is the ground, planner/ stands on its vocabulary, src/ on both; no circles. */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'operators-are-the-ground', severity: 'error', from: { path: '^operators/', pathNot: '\\.test\\.ts$' }, to: { path: '^(planner|src|sqllogictest|bench|test)/' } },
    { name: 'planner-below-src', severity: 'error', from: { path: '^planner/', pathNot: '(\\.test\\.ts$|/test_[a-z_]+\\.ts$)' }, to: { path: '^(src|sqllogictest|bench|test)/' } },
    {
      name: 'planner-knows-no-operator',
      comment: 'The planner may use the vocabulary of operators/ and its pure expression code, not batches, state or operators.',
      severity: 'error',
      from: { path: '^planner/', pathNot: '(\\.test\\.ts$|/test_[a-z_]+\\.ts$)' },
      to: { path: '^operators/(batch|state|aggregates|[a-z_]+\\.ts$)', pathNot: '^operators/(errors|types|datum|plan)\\.ts$' },
    },
    { name: 'src-below-tools', severity: 'error', from: { path: '^src/' }, to: { path: '^(sqllogictest|bench|test)/' } },
    {
      name: 'no-test-libraries-in-the-product',
      severity: 'error',
      from: { path: '^(operators|planner|src)/', pathNot: '(\\.test\\.ts$|/testing/|/test_[a-z_]+\\.ts$|generate\\.ts$)' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|/generated/|^operators/kernels/assembly/)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
};
