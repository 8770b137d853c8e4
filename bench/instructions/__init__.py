"""Instructions that the codec and ``advance`` take, counted by Valgrind, against those of a fixed work: no clock."""
