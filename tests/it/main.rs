//! End-to-end tests: the binary with the real programs around it. One binary; each module is a subject.
