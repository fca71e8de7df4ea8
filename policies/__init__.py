"""The policy language: YAML and CEL in, a route out, with a trace that explains itself. Pure but for reading files."""
