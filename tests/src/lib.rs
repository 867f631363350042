//! The harness of the end-to-end tests: starts and stops the real programs on free ports.
