"""A model's laws traced, differentiated and written as vector code."""
