"""The cloud of AssemblyAI."""
