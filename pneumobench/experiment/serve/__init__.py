"""A page on this machine that asks tracked models about an X-ray: what they say, where they looked, and what it means.

Starlette and uvicorn serve it: MLflow brings both, while Gradio would be 30 packages for one form.
"""
