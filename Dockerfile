# The app in a container:
#   docker build --tag audiomnist .
#   docker run --publish 8501:8501 --volume audiomnist:/data audiomnist
FROM python:3.12-slim

ENV AUDIOMNIST_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# What is downloaded and trained belongs to the app's own user and outlives the container.
RUN useradd --create-home --uid 1000 audiomnist \
    && install --directory --owner=audiomnist --group=audiomnist /data

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY streamlit_app.py ./
COPY .streamlit ./.streamlit
COPY audiomnist ./audiomnist
COPY models ./models
COPY pages ./pages

USER 1000
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "streamlit_app.py", "--server.headless=true", "--server.address=0.0.0.0", "--server.port=8501"]
