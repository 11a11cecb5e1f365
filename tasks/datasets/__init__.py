"""One adapter a dataset; `reading` is what adapters share, `rendering` the embedded scenes."""
