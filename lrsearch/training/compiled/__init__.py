"""The batched engine's arithmetic as C++: traced from one network, written for many, compiled once and kept."""
