"""`rnn-sweep smoke`: a sweep made tiny, run for real, killed, resumed, read back and judged."""
