//! A simulated inference engine with an OpenAI API: the default of the quick start, and the test double.
