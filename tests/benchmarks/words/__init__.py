"""Skip-gram on texts held against gensim, and what it takes of the memory."""
