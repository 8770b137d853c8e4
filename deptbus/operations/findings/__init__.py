"""What a look at the whole bus finds, how grave it is, and what to do. Pure: facts go in, findings come out."""
